import { WebmendError } from "./error.js";
import { instance } from "./load.js";
import type { Splitter as SplitterType } from "./module.js";
import { Splitter } from "./module.js";
import type { ClusterFacts, HeaderFacts, Range, Report, Track } from "./types.js";

/** What a chunk may be: what `dataavailable` gives, or bytes from anywhere. */
export type Chunk = Blob | ArrayBufferLike | ArrayBufferView;

/** Part of a recording, as recorded, with its bytes. */
class Part {
  readonly #blob: Blob;

  /** @internal */
  constructor(facts: object, blob: Blob) {
    Object.assign(this, facts);
    this.#blob = blob;
  }

  /** The bytes as a Blob, of the recording's media type. */
  blob(): Blob {
    return this.#blob;
  }

  /** A copy of the bytes. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.#blob.arrayBuffer());
  }
}

/**
 * What a recording begins with: the EBML header and all that stands before the
 * first cluster. Any clusters appended to it, from one with a key frame on, play.
 */
export class Header extends Part {}
export interface Header extends Range, HeaderFacts {
  /** 0 for the first recording in the stream, 1 for the next. */
  recording: number;
}

/** A complete cluster: a second or so of media. */
export class Cluster extends Part {}
export interface Cluster extends ClusterFacts {}

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
  #queue: Promise<unknown> = Promise.resolve();
  #splitter: Promise<SplitterType> | null;
  #ready: SplitterType | null = null;
  #error: WebmendError | null = null;
  #finished: Promise<Report> | null = null;
  #report: Report | null = null;
  #headers: Header[] = [];
  #clusters: Cluster[] = [];
  #types: string[] = []; // by recording
  #size = 0;
  #kept: { start: number; bytes: Uint8Array<ArrayBuffer> }[] = []; // what no header or cluster has yet

  /** Ready at once: chunks wait while the module loads. */
  constructor() {
    this.#splitter = instance().then((i) => (this.#ready = new Splitter(i)));
    this.#splitter.catch(() => {}); // pushChunk and finish say it
  }

  /**
   * Takes the next chunk. Chunks are split in the order of these calls, though
   * Blobs are read in their own time; a chunk that is not a Blob is copied at once.
   *
   * Resolves when the chunk has been split: what it completed can then be taken.
   * Rejects with a WebmendError when the stream is damaged from somewhere on; what
   * was complete before it stays. Ignoring the promise is fine: `finish` says it too.
   */
  pushChunk(data: Chunk): Promise<void> {
    const chunk = data instanceof Blob ? data : copy(data);
    const done = this.#finished
      ? Promise.reject(new WebmendError({ code: "finished", message: "webmend: a chunk was pushed after the recording was finished", offset: this.#size }))
      : this.#enqueue(() => this.#push(chunk));
    done.catch(() => {});
    return done;
  }

  /** The header, once, as soon as it is complete; null before and after. */
  takeHeader(): Header | null {
    return this.#headers.shift() ?? null;
  }

  /** The clusters completed since the last call, in order. */
  takeClusters(): Cluster[] {
    return this.#clusters.splice(0);
  }

  /**
   * Ends the recording: waits for all chunks, closes the last cluster, which is
   * then among `takeClusters`, and says what is known. Rejects with a WebmendError
   * if there is no recording in the stream at all; damage after a header is in the
   * report's `error` and `dropped`.
   *
   * In Firefox `dataavailable` can come after `stop`: finish in a later task.
   */
  finish(): Promise<Report> {
    this.#finished ??= this.#enqueue(() => this.#finish());
    return this.#finished;
  }

  /** Forgets the stream, and what has not been taken. A finished recording needs no closing. */
  close(): void {
    this.#finished ??= Promise.reject(new WebmendError({ code: "finished", message: "webmend: the recording was closed" }));
    this.#finished.catch(() => {});
    this.#splitter?.then((s) => s.close()).catch(() => {});
    this.#splitter = this.#ready = null;
    this.#kept = [];
    this.#headers = [];
    this.#clusters = [];
  }

  /** What is known so far. */
  get report(): Report {
    return this.#report ?? this.#ready?.report() ?? { bytes: 0, recordings: [], other: [], dropped: [], error: null };
  }

  /** The tracks of the recording, the last one in the stream; none before its header is complete. */
  get tracks(): Track[] {
    return this.report.recordings.at(-1)?.tracks ?? [];
  }

  /** The media type with codecs, `video/webm; codecs="vp8,opus"`; `""` before the header is complete. */
  get mimeType(): string {
    return this.report.recordings.at(-1)?.mimeType ?? "";
  }

  /** Seconds from 0 to the end of the last frame in a complete cluster. */
  get duration(): number {
    return this.report.recordings.at(-1)?.duration ?? 0;
  }

  #enqueue<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(job);
    this.#queue = done.catch(() => {});
    return done;
  }

  async #push(chunk: Blob | Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#error?.code === "read") throw this.#error;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = chunk instanceof Blob ? new Uint8Array(await chunk.arrayBuffer()) : chunk;
    } catch (cause) {
      // What follows would not fit on what came before.
      this.#error = new WebmendError({ code: "read", message: `webmend: the chunk at ${this.#size} could not be read: ${cause}`, offset: this.#size }, { cause });
      throw this.#error;
    }
    const splitter = await this.#open();
    this.#kept.push({ start: this.#size, bytes });
    this.#size += bytes.length;
    try {
      splitter.push(bytes);
    } catch (error) {
      this.#error ??= error as WebmendError;
    }
    this.#collect(splitter);
    if (this.#error) throw this.#error;
  }

  async #finish(): Promise<Report> {
    const splitter = await this.#open();
    if (this.#error?.code === "read") throw this.#error;
    const report = splitter.finish();
    this.#collect(splitter);
    this.#report = report;
    this.#kept = [];
    splitter.close();
    if (report.error && report.recordings.length === 0) throw new WebmendError(report.error);
    return report;
  }

  async #open(): Promise<SplitterType> {
    if (!this.#splitter) throw new WebmendError({ code: "finished", message: "webmend: the recording was closed" });
    return this.#splitter;
  }

  /** Gathers what is complete, with its bytes, and lets go of those. */
  #collect(splitter: SplitterType): void {
    if (splitter.dead) return;
    let told = 0;
    for (let facts; (facts = splitter.takeHeader()); ) {
      this.#types[facts.recording] = facts.mimeType;
      this.#headers.push(new Header(facts, this.#blob(facts, facts.recording)));
      told = facts.end;
    }
    for (const facts of splitter.takeClusters()) {
      this.#clusters.push(new Cluster(facts, this.#blob(facts, facts.recording)));
      told = Math.max(told, facts.end);
    }
    if (this.#error) told = this.#size;
    const keep = this.#kept.findIndex((c) => c.start + c.bytes.length > told);
    this.#kept.splice(0, keep < 0 ? this.#kept.length : keep);
  }

  /** A range of what is kept, as a Blob: a copy, so that the chunks can go. */
  #blob(range: Range, recording: number): Blob {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const { start, bytes } of this.#kept) {
      const part = bytes.subarray(Math.max(0, range.start - start), Math.max(0, range.end - start));
      if (part.length > 0) parts.push(part);
    }
    return new Blob(parts, { type: this.#types[recording] ?? "" });
  }
}

function copy(data: ArrayBufferLike | ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  if (data instanceof ArrayBuffer || (typeof SharedArrayBuffer !== "undefined" && data instanceof SharedArrayBuffer)) {
    return new Uint8Array(data).slice();
  }
  throw new TypeError("webmend: a chunk must be a Blob, an ArrayBuffer or a view of one");
}
