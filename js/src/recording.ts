// The class Recording: everything that a page asks of one.

/// <reference lib="esnext.disposable" preserve="true" />

import { Attachment, attaching, type AttachOptions, type Recorder } from "./attach.js";
import type { Chunk } from "./base/blobs.js";
import { late, WebmendError } from "./base/error.js";
import { boolean, checkOptions } from "./base/options.js";
import type { Problem, Report, Track } from "./base/types.js";
import { Contents } from "./contents.js";
import { announce, Target } from "./events.js";
import { maker, repair } from "./files.js";
import type { Inside } from "./inside.js";
import { closedError, Intake } from "./intake.js";
import type { ClipRange, MakeOptions, MediaFile, PlanKind } from "./media/plan.js";
import { checkRecording, keeping, type RecordingOptions } from "./options.js";
import type { MediaElement, Preview, PreviewOptions } from "./preview.js";
import type { Recoverable } from "./recoverable.js";
import type { Cluster, Header, Segment } from "./segment.js";
import type { Part, Parts, PartsOptions } from "./upload.js";

/**
 * One MediaRecorder's stream, split as it comes.
 *
 * ```js
 * const recording = Recording.attach(recorder);
 * recorder.start(1000);
 * for await (const segment of recording.segments()) await send(segment.blob());
 * ```
 *
 * A recorder that is restarted begins another recording in the same stream: its
 * header comes out of `takeHeader` in turn, and clusters tell which they belong to.
 *
 * It dispatches `change` when more is known, `damage` when something had to be left out, and
 * `finish`: see `RecordingEvents`.
 */
export class Recording extends Target {
  /**
   * The report, once the recording is finished, whoever has asked for that: it
   * settles as `finish` does. A recording that is closed before is rejected.
   */
  readonly finished: Promise<Report>;
  #settle!: (finished: Promise<Report>) => void;
  #attachment: Attachment | null = null;
  #fault: Problem | null = null; // of the recorder, or what was wrong before
  #writable: WritableStream<Chunk> | null = null;
  readonly #intake: Intake;
  readonly #contents: Contents;
  #finished: Promise<Report> | null = null;

  /**
   * Ready at once: chunks wait while the module loads.
   *
   * Throws a WebmendError of code `invalid-argument`, which names the option, if one is not
   * what it must be or does not exist.
   */
  constructor(options: RecordingOptions = {}) {
    super();
    options = checkRecording(options, keeping);
    this.finished = new Promise((resolve) => (this.#settle = resolve));
    this.finished.catch(() => {}); // for who asks for it
    this.#contents = new Contents(options.keep ?? true, this.finished, (recordingIndex) => this.initializationSegment({ recordingIndex }));
    this.#intake = new Intake(options, this.#contents);
    announce(this);
    maker().catch(() => {}); // now, as there may be no network later; whoever needs it tries again
  }

  /**
   * A recording of all that a recorder delivers from now on: attach it before it is
   * started. The recording finishes by itself when the recorder has stopped and
   * has delivered everything, which in Firefox can be after `stop`:
   *
   * ```js
   * const recording = Recording.attach(recorder);
   * recorder.start(1000);
   * const report = await recording.finished;
   * ```
   *
   * A recorder that is started again as soon as it has stopped begins another
   * recording in the same stream; with `restarts`, whenever it is started again.
   *
   * Throws a WebmendError of code `invalid-argument` if this is no recorder, or an option is
   * wrong, and of code `not-webm` if the recorder is to write anything but WebM or Matroska.
   * Throws the signal's reason if that has ended it already. Where that is known only once it has started, `finished` is rejected.
   * If the recorder fails, or stops because its tracks changed, the report's `error` says so,
   * with code `recorder`, and what it had recorded is kept.
   */
  static attach(recorder: Recorder, options: AttachOptions = {}): Recording {
    const { restarts, signal, ...others } = checkRecording(options, { ...keeping, ...attaching });
    const attachment = new Attachment(recorder, restarts, signal);
    const recording = new Recording(others);
    const end = () => void recording.#end().catch(() => {});
    recording.#attachment = attachment;
    attachment.listen({
      push: (chunk) => void recording.pushChunk(chunk).catch(() => recording.report.error && end()), // or it goes on without the chunk
      fault: (reason) => {
        const message = `webmend: the recorder stopped by itself: ${reason}`;
        recording.#fault ??= recording.report.error ?? { code: "recorder", offset: recording.#intake.size, path: "", message };
      },
      end,
      fail: (reason) => recording.#close(reason),
    });
    return recording;
  }

  /**
   * Takes the next chunk. Chunks are split in the order of these calls, though
   * Blobs are read in their own time; a chunk that is not a Blob is copied at once.
   *
   * Resolves when the chunk has been split: what it completed can then be taken. With
   * `spool` it is on disk by the time this settles, rejected or not, or there was a warning
   * that it is not.
   * Never throws. Rejects with a WebmendError of code `invalid-argument` if this is no chunk, or
   * an option is wrong: it is then not taken, and the recording goes on.
   * Rejects with code `read` if the chunk's Blob cannot be read, and with code
   * `trap` if a bug in the module shows twice with the same chunk. Its bytes are then in the
   * report's `dropped`, and the recording goes on with the next chunk.
   *
   * Rejects with any other code when there can be nothing more: the stream is not
   * WebM, or its header is damaged. Ignoring the promise is fine: `finish` says it
   * too. Damage after the header is no error: the recording goes on at the next
   * cluster, and the report's `dropped` says what is left out.
   *
   * With `sequence`, chunks are split in the order of their numbers, which count from 0, or
   * in a recording with a `header` from that of the first chunk. What was there already,
   * or is before the first, is let drop. A chunk that is early waits, and its promise does
   * not: it resolves at once, so that whoever sends chunks can wait for each. Should too
   * many wait it is rejected with code `waiting`, not taken, and may be pushed again. What
   * never comes is in the report's `missing`. Either all chunks have numbers or none.
   */
  pushChunk(data: Chunk, options: { sequence?: number | undefined } = {}): Promise<void> {
    const done = this.#finished
      ? Promise.reject(new WebmendError({ code: "finished", message: "webmend: the recording was finished", offset: this.#intake.size }))
      : this.#intake.push(data, options);
    done.catch(() => {});
    return done;
  }

  /** The header, once, as soon as it is complete; null before and after. */
  takeHeader(): Header | null {
    return this.#contents.segments.take("header", 1)[0] ?? null;
  }

  /**
   * The clusters completed since the last call, in order. Handlers of events that follow each
   * other closely run side by side: pass on what you take before you await anything, or read
   * `segments`, or it can get out of order.
   *
   * With `partial`, what there is of the open cluster as well, as a fragment: audio
   * alone can have clusters of 30 seconds, video of 4. What comes of that cluster
   * later are other fragments, so that all together have every block once. From a
   * worker fragments come with each chunk that is pushed after the first such call.
   */
  takeClusters(options: { partial?: boolean | undefined } = {}): Cluster[] {
    if (checkOptions(options, { partial: boolean }).partial && !this.#finished) this.#intake.takeFragments();
    return this.#contents.segments.take("cluster");
  }

  /**
   * A stream of the header and the clusters, in the order of the recording, each as soon as
   * it is complete. What is not read yet waits in the recording: a slow reader loses nothing,
   * and never delays a chunk.
   *
   * Each call opens another stream, and every open stream gives everything. The first begins
   * with what has not been taken yet. One that you open beside it begins with the header of
   * the recording under way, so that it plays, and continues with what is completed from then
   * on. While a stream is open, `takeHeader` and `takeClusters` have nothing new.
   *
   * A stream closes after the recording is finished, and fails as `finished` does. If you
   * cancel the last one, or leave its `for await`, what it has not given waits for the next.
   */
  segments(): ReadableStream<Segment> {
    return this.#contents.segments.stream();
  }

  /**
   * Takes chunks from a pipe, as `pushChunk` does: a write is done when its chunk has been
   * split. Closing it finishes the recording, and aborting it closes the recording.
   *
   * ```js
   * const recording = new Recording({ keep: false });
   * const segments = response.body.pipeThrough({ writable: recording.writable, readable: recording.segments() });
   * ```
   */
  get writable(): WritableStream<Chunk> {
    return (this.#writable ??= new WritableStream({
      write: (chunk) =>
        this.pushChunk(chunk).catch(async (error) => {
          await this.#end(); // the pipe gives no more chunks
          throw error;
        }),
      close: () => this.finish().then(() => {}),
      abort: (reason) => this.#close(reason ?? closedError()),
    }));
  }

  /**
   * Ends the recording: waits for all chunks, closes the last cluster, which is
   * then among `takeClusters`, and says what is known. Rejects with a WebmendError
   * if there is no recording in the stream at all; damage after a header is in the
   * report's `dropped`.
   *
   * A recorder that is attached is stopped, and all that it still delivers is waited
   * for. Otherwise finish in a later task than `stop`: in Firefox `dataavailable` can
   * come after it.
   */
  finish(): Promise<Report> {
    if (!this.#attachment || this.#finished) return this.#end();
    this.#attachment.stop();
    return this.finished;
  }

  /**
   * A file of all that was recorded in which players can seek: with Duration, Cues, SeekHead
   * and known sizes. While the recording goes on it ends with the last whole block that
   * was pushed, so that in `onstop` it has everything. It shares the media with the
   * recording, and is made in milliseconds whatever its length.
   */
  async seekable(options: MakeOptions = {}): Promise<Blob> {
    return (await this.#make("seekable", options)).made.blob;
  }

  /**
   * A file of what was recorded from `start` up to `end`, in seconds, whose times
   * begin at 0. It begins at the last key frame at or before `start`; the `start` and
   * `end` of the result are the times actually used. While the recording goes on it can
   * reach up to the last whole block that was pushed.
   */
  async clip(range: ClipRange & MakeOptions = {}): Promise<MediaFile> {
    return (await this.#make("clip", range)).made;
  }

  /**
   * For viewers who join late: an initialization segment, and the clusters from the newest
   * key frame on, with known sizes, up to the last whole block that was pushed.
   */
  async joinPoint(options: MakeOptions = {}): Promise<MediaFile> {
    return (await this.#make("joinPoint", options)).made;
  }

  /**
   * The header made fit for appending any clusters to, as Media Source Extensions
   * want it: without Duration, SeekHead, Cues or Void, and a Segment of unknown size.
   */
  async initializationSegment(options: MakeOptions = {}): Promise<Blob> {
    return (await this.#make("initialization", options)).made.blob;
  }

  /**
   * Plays in a `<video>` or `<audio>` element what is being recorded, less than a second
   * after it was if chunks come every 250 ms, as soon as there is something; all that is
   * recorded can be gone back to. The element should be muted where the microphone can
   * hear it, and is the preview's until that is closed; a new preview in the same element
   * closes the one before it.
   *
   * It plays through Media Source Extensions or, where the browser does not take the
   * codecs that way, as H.264 in WebM, a file of what there is, and another once that ends.
   *
   * Rejects with a WebmendError: of code `invalid-argument` if that is no such element,
   * `finished` if the recording is closed, `not-kept` if it keeps no media, and `load` if the
   * script `preview.js`, beside this one, cannot be loaded.
   */
  async preview(element: MediaElement, options: PreviewOptions = {}): Promise<Preview> {
    const { Preview } = await late("preview.js", import("./preview.js"));
    return new Preview(element, this.#inside(), options);
  }

  /**
   * A file of the recording as parts for a multipart upload, of `size` bytes each but the
   * one with the highest number. In the default order the first one comes last, with Duration and
   * Cues filled in, so that what is put together is seekable; see `order`. Clusters
   * have known sizes.
   *
   * Nothing is made before it is read; until then it waits in the recording. It closes when
   * the recording is finished or the recorder begins another one, which has parts of its own,
   * and fails as `finished` does, with code `invalid-argument` if an option is wrong, with code
   * `not-kept` if the recording keeps no media, and with code `no-clusters` if there is nothing. A recording can have any number of such streams, and
   * cancelling one changes nothing of the others.
   *
   * Parts already read are final: frames that the report later calls `undecodable`, and
   * blocks that turn out to have been pushed twice, are in the file.
   */
  parts(options: PartsOptions = {}): ReadableStream<Part> {
    let parts: Parts | undefined;
    return new ReadableStream<Part>(
      {
        start: async () => void (parts = new (await late("upload.js", import("./upload.js"))).Parts(this.#inside(), options)),
        pull: (controller) => parts!.pull(controller),
        cancel: () => parts?.cancel(),
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * What recordings with `spool` have left of which no page has one open any more, oldest
   * first: their pages crashed, or were closed, or the recordings were closed and not
   * discarded. None where there is no storage. Rejects with a WebmendError of code `spool` if
   * the browser does not tell which of them are open.
   */
  static recoverable(): Promise<Recoverable[]> {
    return late("spool.js", import("./spool.js")).then((m) => m.recoverable(repair));
  }

  /**
   * Closes the recording, and deletes what `spool` has of it: to be called when it is safe
   * elsewhere, or not wanted. Rejects with a WebmendError of code `spool` if the browser
   * cannot delete it.
   */
  async discard(): Promise<void> {
    this.close();
    await this.#intake.discard();
  }

  /**
   * Forgets the stream, the media, and what has not been taken; `using` calls it too. A
   * recorder that is attached goes on by itself. What `spool` has stays on disk.
   *
   * `await using` finishes the recording first, as `finish` does: the recorder is stopped,
   * all of it is split, and streams of `segments` have their end. It throws nothing; a
   * recording that fails then rejects `finished`.
   */
  close(): void {
    this.#close(closedError());
  }

  /** Bytes of the module's memory, which recordings share; 0 before it has loaded. */
  get memory(): number {
    return this.#contents.memory;
  }

  /** What is known so far. */
  get report(): Report {
    const { report } = this.#contents;
    const { size, missing, error } = this.#intake;
    return { ...report, bytes: size, missing, error: this.#fault ?? report.error ?? error };
  }

  /** The tracks of the recording, the last one in the stream; none before its header is complete. */
  get tracks(): Track[] {
    return this.#contents.report.recordings.at(-1)?.tracks ?? [];
  }

  /** The media type with codecs, `video/webm; codecs="vp8,opus"`; `""` before the header is complete. */
  get mimeType(): string {
    return this.#contents.report.recordings.at(-1)?.mimeType ?? "";
  }

  /** Seconds from 0 to the end of the last frame in a complete cluster; files can have more. */
  get duration(): number {
    return this.#contents.report.recordings.at(-1)?.duration ?? 0;
  }

  /** Calls back whenever there is more, and when it is over or closed. Returns what ends that. @internal */
  watch(changed: () => void): () => void {
    return this.#contents.watch(changed);
  }

  #end(): Promise<Report> {
    this.#attachment?.detach();
    this.#finished ??= this.#intake.finish().then(() => {
      const { report } = this;
      if (report.error && report.recordings.length === 0) throw new WebmendError(report.error);
      return report;
    });
    this.#settle(this.#finished);
    return this.#finished;
  }

  #close(reason: unknown): void {
    this.#attachment?.detach();
    this.#finished ??= Promise.reject(reason);
    this.#finished.catch(() => {});
    this.#settle(this.#finished);
    this.#intake.close();
    this.#contents.clear(reason);
  }

  #make(kind: PlanKind, options: MakeOptions, a?: number, b?: number): Promise<{ made: MediaFile; next: number }> {
    return this.#intake.run(async (stream) => (await maker()).makeOf(this.#contents, stream, kind, options, a, b));
  }

  #inside(): Inside {
    return { contents: this.#contents, finished: this.finished, make: (...args) => this.#make(...args) };
  }
}
export interface Recording extends Disposable, AsyncDisposable {}
if (Symbol.dispose) Recording.prototype[Symbol.dispose] = Recording.prototype.close;
if (Symbol.asyncDispose) {
  Recording.prototype[Symbol.asyncDispose] = async function () {
    await this.finish().catch(() => {}); // `finished` says it
    this.close();
  };
}
