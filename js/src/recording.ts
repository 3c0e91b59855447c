/// <reference lib="esnext.disposable" preserve="true" />

import { Attachment, type AttachOptions, type Recorder } from "./attach.js";
import { joined, mended, type Bytes } from "./bytes.js";
import { trapped, WebmendError } from "./error.js";
import { repair } from "./files.js";
import { engine } from "./load.js";
import { noRecording, planFlags, type Form, type MadePlan, type ToldCluster, type ToldHeader } from "./module.js";
import { Order } from "./order.js";
import { carryOut, planKinds, type JobOptions, type Made, type Source } from "./plan.js";
import { Segments } from "./segments.js";
import { Store } from "./store.js";
import type { StreamCalls, Taken } from "./calls.js";
import type { MediaElement, Preview, PreviewOptions } from "./preview.js";
import type { Recoverable, Spool, SpoolOptions } from "./spool.js";
import type { ClusterFacts, HeaderFacts, Missing, Range, RecordingFacts, Report, Track } from "./types.js";
import type { Part, Parts, PartsOptions } from "./upload.js";

/** What a chunk may be: what `dataavailable` gives, or bytes from anywhere. */
export type Chunk = Blob | ArrayBufferLike | ArrayBufferView;

/**
 * What a recording begins with, as recorded: all that stands before the first cluster. If only
 * its first byte was lost, it is given with that byte, one more than from `start` to `end`.
 */
export class Header {
  readonly #bytes: Bytes;

  /** @internal */
  constructor(facts: ToldHeader, bytes: Bytes) {
    Object.assign(this, facts);
    this.#bytes = bytes;
  }

  /** The bytes as recorded. Clusters appended to it, from one with a key frame on, play. */
  blob(): Blob {
    return new Blob([this.#bytes], { type: this.mimeType });
  }

  /** A copy of the bytes as recorded. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes.slice();
  }

  /** The CRC-32 of those bytes, as zip has it: from 0 up to 2³² − 1. */
  crc32(): Promise<number> {
    return crc32(this);
  }
}
export interface Header extends Range, HeaderFacts {
  /** 0 for the first recording in the stream, 1 for the next. */
  recording: number;
  /** Its number among the headers and clusters of the stream, from 0 on. */
  sequence: number;
}

/** Where the bytes of a cluster are. */
interface ClusterBytes {
  /** What comes before its data, as recorded; of a fragment, so that it is a cluster. */
  head: Bytes;
  /** Its data in the final form: Blobs first, and then what is not in one yet. */
  data(): (Blob | Bytes)[];
  /** Offsets in the data and what was recorded there, in turns, where the final form is another. */
  changed: number[];
  form: Form;
  fromZero: Form;
  type: string;
  initialization(): Promise<Blob>;
}

/** A complete cluster: a second or so of media. Or a fragment of one: see `takeClusters`. */
export class Cluster {
  readonly #bytes: ClusterBytes;

  /** @internal */
  constructor(facts: ToldCluster, bytes: ClusterBytes) {
    const { form: _form, fromZero: _zero, ...known } = facts;
    Object.assign(this, known);
    this.#bytes = bytes;
  }

  /** The bytes as recorded; a fragment is a cluster of known size. */
  blob(): Blob {
    const { head, data, changed, type } = this.#bytes;
    let parts: BlobPart[] = data();
    if (changed.length > 0) {
      const edited = new Blob(parts);
      parts = [];
      let at = 0;
      for (let i = 0; i < changed.length; i += 2) {
        parts.push(edited.slice(at, changed[i]), Uint8Array.of(changed[i + 1]!));
        at = changed[i]! + 1;
      }
      parts.push(edited.slice(at));
    }
    return new Blob([head, ...parts], { type });
  }

  /** A copy of those bytes. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const { head, data, changed } = this.#bytes;
    const parts = data();
    if (parts[0] instanceof Blob) return new Uint8Array(await this.blob().arrayBuffer());
    const bytes = joined([head, ...(parts as Bytes[])]);
    for (let i = 0; i < changed.length; i += 2) bytes[head.length + changed[i]!] = changed[i + 1]!;
    return bytes;
  }

  /** The CRC-32 of those bytes, as zip has it: from 0 up to 2³² − 1. */
  crc32(): Promise<number> {
    return crc32(this);
  }

  /**
   * A cluster of known size, whatever was recorded, for Media Source Extensions after
   * an initialization segment. Chromium plays any; Firefox leaves holes in the picture
   * where clusters do not begin with a key frame.
   */
  sized(): Blob {
    const { form, data, type } = this.#bytes;
    return new Blob([form.head, ...data()], { type });
  }

  /**
   * A file of its own, which a player or a speech recogniser can decode alone. With
   * `fromZero` its timestamps begin at 0; otherwise they stay. The picture begins at
   * once only if `beginsWithKeyFrame`.
   */
  async standalone(options: { fromZero?: boolean } = {}): Promise<Blob> {
    const { form, fromZero, data, type, initialization } = this.#bytes;
    const chosen = options.fromZero ? fromZero : form;
    return new Blob([await initialization(), chosen.head, new Blob(data()).slice(chosen.start - form.start)], { type });
  }

  /** Has the browser hold the bytes, outside the page's own memory, for as long as nobody wants them. @internal */
  rest(): void {
    const parts = this.#bytes.data();
    if (parts[0] instanceof Blob) return;
    const blob = new Blob(parts);
    this.#bytes.data = () => [blob];
  }
}
export interface Cluster extends ClusterFacts {
  /** Its number among the headers and clusters of the stream, from 0 on; fragments count as clusters. */
  sequence: number;
}

/** What a recording is made of. */
export type Segment = Header | Cluster;

/** Options of a recording. */
export interface RecordingOptions {
  /**
   * Whether to keep the media, in the browser's Blobs, so that `seekable`, `clip` and
   * `joinPoint` can be asked for. Default true. With false, clusters that are taken
   * are the only thing that holds it: in the page's memory, if they are taken as they come.
   */
  keep?: boolean;
  /**
   * Whether to keep a copy of the chunks on disk as well, which outlives the page: should
   * that crash, or be closed, `Recording.recoverable` has what was recorded. `discard`
   * deletes it. Default false.
   *
   * It is in the origin private file system, in the order of the stream, and each chunk is
   * flushed before its `pushChunk` resolves, even if the module cannot be loaded; in
   * IndexedDB where the page cannot have that, and where it can have neither, in memory
   * alone, with a warning. The browser may clear both when the disk is full, unless
   * `navigator.storage.persist()` was granted.
   */
  spool?: boolean | SpoolOptions;
  /**
   * What a recording begins with that is joined after its beginning, as `takeHeader` gave
   * it once: its bytes count as the first of the stream, and what is pushed is taken in
   * from the next cluster on.
   */
  header?: Chunk | Header;
  /** Whether the first damage ends the recording. Default false: it goes on at the next cluster. */
  strict?: boolean;
  /** What a stream may ask for. */
  limits?: Limits;
}

/** Limits of a recording. What is not given has its default. */
export interface Limits {
  /** Bytes of a header. Default 64 MiB: room for the attachments of a film. A larger one is an error of code `too-large`. */
  headerSize?: number;
  /** Tracks of a recording. Default 128. More are such an error. */
  tracks?: number;
  /** Bytes of a cluster. Default 256 MiB. What would make it larger counts as damage. */
  clusterSize?: number;
  /**
   * Numbered chunks that wait for one before them. Default 100: with a chunk every 100 ms
   * to a second, what comes while one is sent again for 10 to 100 seconds.
   */
  waitingChunks?: number;
}

/** Which recording, and options of what takes a while. */
export interface MakeOptions extends JobOptions {
  /** Its index in the stream. Default: the last one. */
  recording?: number;
}

/** What previews and uploads ask of a recording. @internal */
export interface Inside {
  /** Those of the stream that have a header, the last of which may go on. */
  recordings(): RecordingFacts[];
  store(recording: number): Store | undefined;
  make(kind: number, options: MakeOptions, a?: number, b?: number): Promise<{ made: Made; next: number }>;
  /** Calls back whenever there is more, or the recording is over. Returns what ends that. */
  watch(changed: () => void): () => void;
  state(): "recording" | "finished" | "closed";
  finished: Promise<unknown>;
}

/**
 * One MediaRecorder's stream, split as it comes.
 *
 * ```js
 * const recording = new Recording();
 * recorder.ondataavailable = async (event) => {
 *   await recording.pushChunk(event.data);
 *   const header = recording.takeHeader();
 *   for (const cluster of recording.takeClusters()) send(await cluster.bytes());
 * };
 * ```
 *
 * A recorder that is restarted begins another recording in the same stream: its
 * header comes out of `takeHeader` in turn, and clusters tell which they belong to.
 */
export class Recording {
  /**
   * The report, once the recording is finished, whoever has asked for that: it
   * settles as `finish` does. A recording that is closed before is rejected.
   */
  readonly finished: Promise<Report>;
  #settle!: (finished: Promise<Report>) => void;
  #attachment: Attachment | null = null;
  #segments: Segments | null = null;
  readonly #keep: boolean;
  readonly #waitingChunks: number;
  #queue: Promise<unknown> = Promise.resolve();
  #stream: Promise<StreamCalls> | null;
  #ready: StreamCalls | null = null;
  #error: WebmendError | null = null;
  #finished: Promise<Report> | null = null;
  #over = false; // all of it has been taken in
  #report: Report = { bytes: 0, recordings: [], other: [], dropped: [], gaps: [], undecodable: [], missing: [], error: null };
  readonly #spool: Promise<Spool | void> | undefined;
  #size = 0;
  #joined: number | null = null; // after how many bytes of a header that was given
  #order: Order<Blob | Bytes> | false | null = null; // false once chunks come without numbers
  #missing: Missing[] | null = null; // once it is finished
  #headers: Header[] = [];
  #clusters: Cluster[] = [];
  #recordings: { type: string; store: Store; initialization?: Promise<Blob> }[] = [];
  #watchers = new Set<() => void>(); // previews, replays and uploads
  #memory = 0;
  #sequence = 0; // of the next segment

  /** Ready at once: chunks wait while the module loads. */
  constructor(options: RecordingOptions = {}) {
    this.finished = new Promise((resolve) => (this.#settle = resolve));
    this.finished.catch(() => {}); // for who asks for it
    const { keep = true, spool, strict, header, limits: { waitingChunks = 100, ...limits } = {} } = options;
    this.#keep = keep;
    this.#waitingChunks = waitingChunks;
    this.#stream = engine()
      .then((e) => e.open({ ...limits, strict, wanted: keep ? "store" : "clusters" }))
      .then((stream) => {
        forgotten.register(this, stream, this);
        return (this.#ready = stream);
      });
    this.#stream.catch(() => {}); // pushChunk and finish say it
    if (spool) {
      const options = spool === true ? {} : spool;
      this.#spool = import("./spool.js").then(
        (m) => new m.Spool(options, WebmendError),
        (cause) => (options.onWarning ?? console.warn)(new WebmendError({ code: "spool", message: `webmend: what is recorded is in memory alone: ${cause}` }, { cause })),
      );
    }
    if (header !== undefined) {
      const bytes = own(header instanceof Header ? header.blob() : header);
      this.#joined = sizeOf(bytes);
      this.#save([bytes]);
      this.#enqueue(() => this.#take([bytes, null])).catch(() => {});
    }
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
   * Throws a WebmendError of code `not-webm` if the recorder is to write anything but
   * WebM or Matroska. Where that is known only once it has started, `finished` is rejected.
   */
  static attach(recorder: Recorder, options: AttachOptions = {}): Recording {
    const recording = new Recording(options);
    recording.#attachment = new Attachment(recorder, options, {
      push: (chunk) => recording.pushChunk(chunk),
      end: () => void recording.#end().catch(() => {}),
      fail: (reason) => recording.#close(reason),
    });
    return recording;
  }

  /**
   * Takes the next chunk. Chunks are split in the order of these calls, though
   * Blobs are read in their own time; a chunk that is not a Blob is copied at once.
   *
   * Resolves when the chunk has been split: what it completed can then be taken. With
   * `spool` it is on disk, too, or there was a warning that it is not.
   * Rejects with a WebmendError when there can be nothing more: the stream is not
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
  pushChunk(data: Chunk, options: { sequence?: number } = {}): Promise<void> {
    const chunk = own(data);
    const done = this.#finished
      ? Promise.reject(new WebmendError({ code: "finished", message: "webmend: a chunk was pushed after the recording was finished", offset: this.#size }))
      : this.#accept(chunk, options.sequence);
    done.catch(() => {});
    return done;
  }

  /** The header, once, as soon as it is complete; null before and after. */
  takeHeader(): Header | null {
    return this.#headers.shift() ?? null;
  }

  /**
   * The clusters completed since the last call, in order.
   *
   * With `partial`, what there is of the open cluster as well, as a fragment: audio
   * alone can have clusters of 30 seconds, video of 4. What comes of that cluster
   * later are other fragments, so that all together have every block once. From a
   * worker fragments come with each chunk that is pushed after the first such call.
   */
  takeClusters(options: { partial?: boolean } = {}): Cluster[] {
    if (options.partial && this.#ready && !this.#finished) this.#collect(this.#ready, true);
    return this.#clusters.splice(0);
  }

  /**
   * Header and clusters in the order of the stream, as each is complete: what
   * `takeHeader` and `takeClusters` give, and each comes out once, be it here or there.
   * Nothing is taken before it is read; until then it waits in the recording, so that a
   * slow reader loses nothing, and never keeps a chunk from being taken.
   *
   * It closes when the recording is finished, and fails as `finished` does. Cancelling
   * it leaves the rest to `takeHeader` and `takeClusters`.
   */
  get segments(): ReadableStream<Segment> {
    this.#segments ??= new Segments(() => this.#next(), this.finished);
    return this.#segments.stream;
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
    return (await this.#make(planKinds.seekable, options)).made.blob;
  }

  /**
   * A file of what was recorded from `start` up to `end`, in seconds, whose times
   * begin at 0. It begins at the last key frame at or before `start`; the `start` and
   * `end` of the result are the times actually used. While the recording goes on it can
   * reach up to the last whole block that was pushed.
   */
  async clip(range: { start: number; end: number } & MakeOptions): Promise<Made> {
    return (await this.#make(planKinds.clip, range, range.start, range.end)).made;
  }

  /**
   * For viewers who join late: an initialization segment, and the clusters from the newest
   * key frame on, with known sizes, up to the last whole block that was pushed.
   */
  async joinPoint(options: MakeOptions = {}): Promise<Made> {
    return (await this.#make(planKinds.joinPoint, options)).made;
  }

  /**
   * The header made fit for appending any clusters to, as Media Source Extensions
   * want it: without Duration, SeekHead, Cues or Void, and a Segment of unknown size.
   */
  async initializationSegment(options: MakeOptions = {}): Promise<Blob> {
    return (await this.#make(planKinds.initialization, options)).made.blob;
  }

  /**
   * Plays in a `<video>` or `<audio>` element what is being recorded, less than a second
   * after it was if chunks come every 250 ms, as soon as there is something; all that is
   * recorded can be gone back to. The element should be muted where the microphone can
   * hear it, and is the preview's until that is disposed of.
   *
   * It plays through Media Source Extensions or, where the browser does not take the
   * codecs that way, as H.264 in WebM, a file of what there is, and another once that ends.
   *
   * Rejects if the script `preview.js`, beside this one, cannot be loaded.
   */
  async preview(element: MediaElement, options: PreviewOptions = {}): Promise<Preview> {
    if (!this.#keep) throw notKept();
    const { Preview } = await import("./preview.js");
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
   * and fails as `finished` does, with a RangeError if the size is not right, and with code
   * `no-clusters` if there is nothing. A recording can have any number of such streams, and
   * cancelling one changes nothing of the others.
   *
   * Parts already read are final: frames that the report later calls `undecodable`, and
   * blocks that turn out to have been pushed twice, are in the file.
   */
  parts(options: PartsOptions = {}): ReadableStream<Part> {
    if (!this.#keep) throw notKept();
    let parts: Parts | undefined;
    return new ReadableStream<Part>(
      {
        start: async () => void (parts = new (await import("./upload.js")).Parts(this.#inside(), options)),
        pull: (controller) => parts!.pull(controller),
        cancel: () => parts?.cancel(),
      },
      { highWaterMark: 0 },
    );
  }

  #inside(): Inside {
    return {
      recordings: () => this.#report.recordings.slice(0, this.#recordings.length),
      store: (recording) => this.#recordings[recording]?.store,
      make: (...args) => this.#make(...args),
      watch: (changed) => this.watch(changed),
      state: () => (this.#stream ? (this.#over ? "finished" : "recording") : "closed"),
      finished: this.finished,
    };
  }

  /**
   * What recordings with `spool` have left of which no page has one open any more, oldest
   * first: their pages crashed, or were closed, or the recordings were closed and not
   * discarded. None where there is no storage.
   */
  static recoverable(): Promise<Recoverable[]> {
    return import("./spool.js").then((m) => m.recoverable(repair));
  }

  /**
   * Closes the recording, and deletes what `spool` has of it: to be called when it is safe
   * elsewhere, or not wanted. Rejects if the browser cannot delete it.
   */
  async discard(): Promise<void> {
    this.close();
    await this.#spool?.then((s) => s?.discard());
  }

  /**
   * Forgets the stream, the media, and what has not been taken; `using` calls it too. A
   * recorder that is attached goes on by itself. What `spool` has stays on disk.
   */
  close(): void {
    this.#close(closedError());
  }

  #close(reason: Error): void {
    this.#attachment?.detach();
    if (this.#headers.length + this.#clusters.length > 0) this.#segments?.stop(reason);
    this.#finished ??= Promise.reject(reason);
    this.#finished.catch(() => {});
    this.#settle(this.#finished);
    this.#stream?.then((s) => s.close()).catch(() => {});
    this.#spool?.then((s) => s?.close());
    forgotten.unregister(this);
    this.#stream = this.#ready = null;
    this.#order = null;
    this.#headers = [];
    this.#clusters = [];
    this.#recordings = [];
    this.#tell();
  }

  /** Bytes of the module's memory, which recordings share; 0 before it has loaded. */
  get memory(): number {
    return this.#memory;
  }

  /** What is known so far. */
  get report(): Report {
    return { ...this.#report, bytes: this.#size, missing: this.#missing ?? (this.#order || null)?.missing() ?? [], error: this.#report.error ?? this.#error };
  }

  /** The tracks of the recording, the last one in the stream; none before its header is complete. */
  get tracks(): Track[] {
    return this.#report.recordings.at(-1)?.tracks ?? [];
  }

  /** The media type with codecs, `video/webm; codecs="vp8,opus"`; `""` before the header is complete. */
  get mimeType(): string {
    return this.#report.recordings.at(-1)?.mimeType ?? "";
  }

  /** Seconds from 0 to the end of the last frame in a complete cluster; files can have more. */
  get duration(): number {
    return this.#report.recordings.at(-1)?.duration ?? 0;
  }

  #end(): Promise<Report> {
    this.#attachment?.detach();
    this.#finished ??= this.#finish();
    this.#settle(this.#finished);
    return this.#finished;
  }

  /** The next segment that is complete, in the order of the stream. */
  #next(): Segment | undefined {
    const [header] = this.#headers;
    const [cluster] = this.#clusters;
    return header && !(cluster && cluster.start < header.start) ? this.#headers.shift() : this.#clusters.shift();
  }

  #enqueue<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(job);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Splits a chunk or, if it has a number, those whose turn it is. */
  #accept(chunk: Blob | Bytes, sequence: number | undefined): Promise<void> {
    const numbered = sequence !== undefined;
    if (numbered && !(Number.isSafeInteger(sequence) && sequence >= 0)) throw new TypeError("webmend: a chunk's sequence must be an integer from 0 on");
    this.#order ??= numbered && new Order(sizeOf, this.#waitingChunks, this.#joined === null ? 0 : null, this.#joined ?? 0);
    if (numbered !== Boolean(this.#order)) throw new TypeError("webmend: either all chunks of a recording have a sequence number or none");
    let ready = [chunk];
    try {
      if (this.#order) ready = this.#order.put(sequence!, chunk);
    } catch (error) {
      return Promise.reject(error);
    }
    const saved = this.#save(ready);
    return this.#enqueue(async () => {
      await this.#take(ready);
      const { error } = this.#report;
      if (error) throw new WebmendError(error);
    }).then(() => saved);
  }

  /** Has chunks copied to disk, if that is wanted, and resolves when they are there. */
  #save(chunks: (Blob | Bytes | null)[]): Promise<void> | undefined {
    if (!this.#spool) return;
    const blobs = chunks.flatMap((c) => (c instanceof Blob ? c : c ? new Blob([c]) : [])); // bytes may be the worker's by then
    return this.#spool.then((s) => s?.append(blobs));
  }

  /** Has chunks split, and where there is null instead of one, says that bytes are missing. */
  async #take(chunks: (Blob | Bytes | null)[]): Promise<void> {
    if (this.#error) throw this.#error;
    for (const chunk of chunks) {
      const size = chunk ? sizeOf(chunk) : 0; // which bytes lose on their way to a worker
      await this.#advance((stream) => (chunk ? stream.push(chunk) : stream.lost()));
      this.#size += size;
    }
  }

  #finish(): Promise<Report> {
    let rest: (Blob | Bytes | null)[] = [];
    if (this.#order) {
      this.#missing = this.#order.missing();
      rest = this.#order.rest().flatMap((run) => [null, ...run]);
    }
    const saved = this.#save(rest);
    return this.#enqueue(async () => {
      await this.#take(rest);
      await saved;
      await this.#advance((stream) => stream.finish());
      for (const { store } of this.#recordings) store.close();
      this.#over = true;
      this.#tell();
      const { report } = this;
      if (report.error && report.recordings.length === 0) throw new WebmendError(report.error);
      return report;
    });
  }

  #make(kind: number, options: MakeOptions, a?: number, b?: number): Promise<{ made: Made; next: number }> {
    return this.#enqueue(async () => {
      const stream = await this.#open();
      const which = options.recording ?? this.#recordings.length - 1;
      const recording = this.#recordings[which];
      if (!recording) throw noRecording();
      if (!this.#keep && kind !== planKinds.initialization) throw notKept();
      const flags = planFlags.stored | (options.keepUndecodable ? planFlags.keepUndecodable : 0);
      const open: Source = { parts: async (start, end) => [await stream.read(start, end)] };
      const make = async () => {
        const begun = await stream.plan(kind, which, flags, a, b);
        return { made: await carryOut(stream, begun, [recording.store, open], options), next: (begun as MadePlan).next };
      };
      return make().catch((error) => this.#recover(stream, error).then(make));
    });
  }

  /** Takes a step in the stream, which is taken all the same if the module traps meanwhile. */
  async #advance(step: (stream: StreamCalls) => Promise<unknown>): Promise<void> {
    const stream = await this.#open();
    try {
      await step(stream).catch((error) => this.#recover(stream, error));
    } catch (error) {
      this.#error = error as WebmendError; // what follows would not fit on what came before
      throw error;
    }
    this.#collect(stream);
  }

  /** After a trap, has scanned again what there was. Another error it throws. */
  async #recover(stream: StreamCalls, error: unknown): Promise<void> {
    if (!trapped(error)) throw error;
    this.#collect(stream);
    try {
      await stream.recover(this.#keep ? this.#recordings.map(({ store }) => store.past()) : []);
    } catch (error) {
      this.#error ??= error as WebmendError;
      throw error;
    }
    this.#collect(stream);
  }

  async #open(): Promise<StreamCalls> {
    if (!this.#stream) throw closedError();
    return this.#stream;
  }

  /** Takes in what is complete. */
  #collect(stream: StreamCalls, fragments = false): void {
    if (!this.#stream) throw closedError();
    const { stored, clusters, report, memory } = stream.take(fragments);
    this.#memory = memory;
    const placed = new Map<number, number>(); // clusters by the start of their data: where the store has it
    const fresh: Segment[] = [];
    for (const { recording, start, before, head, data, header } of stored) {
      if (header) {
        this.#recordings[recording] = { type: header.mimeType, store: new Store(before, head) };
        fresh.push(new Header(header, mended(head)));
      } else {
        const { store } = this.#recordings[recording]!;
        placed.set(start, store.size + head.length);
        store.add(before, head, data);
      }
    }
    // Whoever takes each as it comes is spared the Blobs.
    if (!this.#keep) for (const cluster of this.#clusters) cluster.rest();
    for (const taken of clusters) fresh.push(this.#cluster(taken, placed.get(taken.facts.form.start)));
    for (const segment of fresh.sort((a, b) => a.start - b.start)) {
      segment.sequence = this.#sequence++;
      if (segment instanceof Header) this.#headers.push(segment);
      else this.#clusters.push(segment);
    }
    if (report) this.#report = { ...report, missing: [] };
    this.#segments?.wake();
    this.#tell();
  }

  /** Calls back whenever there is more, and when it is over or closed. Returns what ends that. @internal */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #tell(): void {
    for (const changed of this.#watchers) changed();
  }

  #cluster({ facts, head, data, changed }: Taken, at: number | undefined): Cluster {
    const { form, fromZero, recording } = facts;
    const { store, type } = this.#recordings[recording]!;
    return new Cluster(facts, {
      head,
      changed: facts.fragment ? [] : changed,
      form,
      fromZero,
      type,
      initialization: () => this.#initialization(recording),
      data: () => data ?? store.parts(at!, at! + form.end - form.start),
    });
  }

  #initialization(recording: number): Promise<Blob> {
    return (this.#recordings[recording]!.initialization ??= this.initializationSegment({ recording }));
  }
}
export interface Recording extends Disposable {}
if (Symbol.dispose) Recording.prototype[Symbol.dispose] = Recording.prototype.close;

/** Streams of recordings that nobody has any more are closed in the module. */
const forgotten = new FinalizationRegistry<StreamCalls>((stream) => stream.close());

const notKept = () => new WebmendError({ code: "not-kept", message: "webmend: the recording was made with keep: false, and has no media" });

const closedError = () => new WebmendError({ code: "finished", message: "webmend: the recording was closed" });

const sizeOf = (chunk: Blob | Bytes) => (chunk instanceof Blob ? chunk.size : chunk.length);

const crc32 = async (segment: Segment) => (await import("./upload.js")).crc32(await segment.bytes());

/** A chunk that nobody else changes. */
function own(data: Chunk): Blob | Bytes {
  if (data instanceof Blob) return data;
  const { buffer = data, byteOffset, byteLength } = Object(data) as ArrayBufferView & ArrayBufferLike;
  if (byteLength >= 0) return new Uint8Array(buffer as ArrayBufferLike, byteOffset, byteLength).slice();
  throw new TypeError("webmend: a chunk must be a Blob, an ArrayBuffer or a view of one");
}
