// Takes chunks in: puts them in order, copies them to disk if asked to, and splits one after
// the other, even if the module traps.

import { own, sizeOf, type Chunk } from "./base/blobs.js";
import type { Bytes } from "./base/bytes.js";
import { check, late, tell, trapped, WebmendError } from "./base/error.js";
import { checkOptions, number } from "./base/options.js";
import type { Missing } from "./base/types.js";
import type { Contents } from "./contents.js";
import type { StreamCalls } from "./engine/calls.js";
import { engine } from "./engine/load.js";
import { Order } from "./media/order.js";
import type { RecordingOptions } from "./options.js";
import type { Spool } from "./spool.js";

/** How much of a chunk is split at once: a Blob can be larger than the page's memory. */
const pieceLength = 4 << 20;

export class Intake {
  /** Bytes that have been split. */
  size = 0;
  /** Why there can be nothing more, if that is not the stream's fault. */
  error: WebmendError | null = null;
  readonly #contents: Contents;
  readonly #waitingChunks: number;
  readonly #spool: Promise<Spool | void> | undefined;
  #stream: Promise<StreamCalls> | null;
  #ready: StreamCalls | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #joined: number | null = null; // after how many bytes of a header that was given
  #order: Order | false | null = null; // false once chunks come without numbers
  #missing: Missing[] | null = null; // once it is finished

  constructor({ spool, strict, header, limits: { waitingChunks = 100, ...limits } = {} }: RecordingOptions, contents: Contents) {
    const given = header && own("blob" in header ? header.blob() : header, "header");
    this.#contents = contents;
    this.#waitingChunks = waitingChunks;
    this.#stream = engine()
      .then((e) => e.open({ ...limits, strict, wanted: contents.keep ? "store" : "clusters" }))
      .then((stream) => {
        forgotten.register(this, stream, this);
        return (this.#ready = stream);
      });
    this.#stream.catch(() => {}); // push and finish say it
    if (spool) {
      const options = spool === true ? {} : spool;
      this.#spool = late("spool.js", import("./spool.js")).then(
        (m) => new m.Spool(options),
        (cause) => tell(options.onWarning ?? console.warn, new WebmendError({ code: "spool", message: `webmend: what is recorded is in memory alone: ${cause.message}` }, { cause })),
      );
    }
    if (given) {
      this.#joined = sizeOf(given);
      this.#save([given]);
      this.#enqueue(async () => (this.error = await this.#take([given, null]))).catch(() => {}); // without it there is nothing
    }
  }

  /** The numbers of chunks that did not come, or have not yet. */
  get missing(): Missing[] {
    return this.#missing ?? (this.#order || null)?.rest().missing ?? [];
  }

  /** Splits a chunk or, if it has a number, those whose turn it is. */
  async push(data: Chunk, options: { sequence?: number | undefined }): Promise<void> {
    const chunk = own(data);
    const { sequence } = checkOptions(options, { sequence: number });
    const numbered = sequence !== undefined;
    check(!numbered || Number.isSafeInteger(sequence), "sequence must be an integer");
    this.#order ??= numbered && new Order(this.#waitingChunks, this.#joined === null ? 0 : null, this.#joined ?? 0);
    check(numbered === Boolean(this.#order), "either all chunks have a sequence number or none");
    const ready = this.#order ? this.#order.put(sequence!, chunk) : [chunk];
    const saved = this.#save(ready);
    const done = this.#enqueue(async () => {
      const problem = await this.#take(ready);
      const { error } = this.#contents.report;
      if (error) throw new WebmendError(error);
      if (problem && problem.code !== "load") throw problem; // that is for finish to say, if it stays so
    });
    return done.finally(() => saved); // on disk is what could not be split, too
  }

  /** Splits what still waits, and ends the stream. */
  finish(): Promise<void> {
    let rest: (Blob | Bytes | null)[] = [];
    if (this.#order) {
      ({ chunks: rest, missing: this.#missing } = this.#order.rest());
      this.#order = null;
    }
    const saved = this.#save(rest);
    return this.#enqueue(async () => {
      try {
        await this.#take(rest);
        this.error = await this.#advance((stream) => stream.finish());
      } catch (error) {
        if (error !== this.error) throw error;
      }
      await saved;
      this.#contents.end();
    });
  }

  /** Does something with the stream when it is its turn, and once more if the module traps. */
  run<T>(job: (stream: StreamCalls) => Promise<T>): Promise<T> {
    return this.#enqueue(async () => {
      const stream = await this.#open();
      return job(stream).catch((error) => this.#recover(stream, error).then(() => job(stream)));
    });
  }

  /** Takes in what there is of the open cluster, too. */
  takeFragments(): void {
    if (this.#ready) this.#collect(this.#ready, true);
  }

  /** Lets go of the stream. What is on disk stays there. */
  close(): void {
    this.#stream?.then((s) => s.close()).catch(() => {});
    this.#spool?.then((s) => s?.close());
    forgotten.unregister(this);
    this.#stream = this.#ready = null;
    this.#order = null;
  }

  /** Deletes what is on disk. */
  discard(): Promise<void> | undefined {
    return this.#spool?.then((s) => s?.discard());
  }

  #enqueue<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(job);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Has chunks copied to disk, if that is wanted, and resolves when they are there. */
  #save(chunks: (Blob | Bytes | null)[]): Promise<void> | undefined {
    if (!this.#spool) return;
    const blobs = chunks.flatMap((c) => (ArrayBuffer.isView(c) ? new Blob([c]) : (c ?? []))); // bytes may be the worker's by then
    return this.#spool.then((s) => s?.append(blobs));
  }

  /**
   * Has chunks split, and where there is null instead of one, says that bytes are missing. Resolves
   * with why one was left out, or null; rejects if nothing can follow.
   */
  async #take(chunks: (Blob | Bytes | null)[]): Promise<WebmendError | null> {
    let first: WebmendError | null = null;
    for (const chunk of chunks) {
      const size = chunk ? sizeOf(chunk) : 0; // which bytes lose on their way to a worker
      let at = 0;
      do {
        const problem = await this.#advance((stream) => (chunk ? stream.push(size > pieceLength ? chunk.slice(at, at + pieceLength) : chunk, at) : stream.lost()));
        first ??= problem;
        this.size += Math.min(size - at, pieceLength);
      } while ((at += pieceLength) < size);
    }
    return first;
  }

  /** Takes a step in the stream, which is taken all the same if the module traps meanwhile. As #take. */
  async #advance(step: (stream: StreamCalls) => Promise<unknown>): Promise<WebmendError | null> {
    if (this.error) throw this.error;
    let problem: WebmendError | null;
    try {
      const stream = await this.#open();
      problem = await step(stream).then(
        () => null,
        (error) => (error.code === "read" ? error : this.#recover(stream, error)),
      );
    } catch (error) {
      if ((error as WebmendError).code === "load" && this.#ready) return error as WebmendError; // the stream has it, and waits for the script
      throw (this.error ??= error as WebmendError); // what follows would not fit on what came before
    }
    this.#collect(this.#ready!);
    return problem;
  }

  /** After a trap, has scanned again what there was. Resolves with why something was left out; another error it throws. */
  async #recover(stream: StreamCalls, error: unknown): Promise<WebmendError | null> {
    if (!trapped(error)) throw error;
    this.#collect(stream);
    const hole = await stream.recover(this.#contents.past());
    this.#collect(stream);
    return hole && new WebmendError(hole);
  }

  async #open(): Promise<StreamCalls> {
    if (!this.#stream) throw closedError();
    return this.#stream;
  }

  #collect(stream: StreamCalls, fragments = false): void {
    if (!this.#stream) throw closedError();
    this.#contents.add(stream.take(fragments));
  }
}

/** Streams of recordings that nobody has any more are closed in the module. */
const forgotten = new FinalizationRegistry<StreamCalls>((stream) => stream.close());

export const closedError = () => new WebmendError({ code: "finished", message: "webmend: the recording was closed" });
