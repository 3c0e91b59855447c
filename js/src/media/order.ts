// Puts numbered chunks in order.

import { WebmendError } from "../base/error.js";
import type { Missing } from "../base/types.js";

/** Chunks of one recording, which are numbered from 0. */
export class Order<Chunk> {
  readonly #size: (chunk: Chunk) => number;
  readonly #limit: number;
  #next: number | null;
  #offset: number; // where the next begins
  #waiting = new Map<number, Chunk>();

  /**
   * @param next the first number; null if it is that of whatever comes first
   * @param offset where in the stream that begins
   */
  constructor(size: (chunk: Chunk) => number, limit: number, next: number | null, offset: number) {
    this.#size = size;
    this.#limit = limit;
    this.#next = next;
    this.#offset = offset;
  }

  /** Takes a chunk, and returns those whose turn has come: none of one that was there before. */
  put(number: number, chunk: Chunk): Chunk[] {
    this.#next ??= number;
    if (number < this.#next || this.#waiting.has(number)) return [];
    if (number > this.#next && this.#waiting.size >= this.#limit) {
      throw new WebmendError({
        code: "waiting",
        message: `webmend: chunk ${number} was not taken, as ${this.#limit} chunks wait for chunk ${this.#next}`,
        offset: this.#offset,
      });
    }
    this.#waiting.set(number, chunk);
    return this.#ready();
  }

  #ready(): Chunk[] {
    const ready: Chunk[] = [];
    for (let chunk; (chunk = this.#waiting.get(this.#next!)) !== undefined; this.#next!++) {
      this.#waiting.delete(this.#next!);
      this.#offset += this.#size(chunk);
      ready.push(chunk);
    }
    return ready;
  }

  /** The chunks that wait though others before them are missing, in runs that follow each other. */
  rest(): Chunk[][] {
    const runs: Chunk[][] = [];
    while (this.#waiting.size > 0) {
      this.#next = Math.min(...this.#waiting.keys());
      runs.push(this.#ready());
    }
    return runs;
  }

  /** What is waited for. */
  missing(): Missing[] {
    const missing: Missing[] = [];
    let next = this.#next!;
    let offset = this.#offset;
    for (const number of [...this.#waiting.keys()].sort((a, b) => a - b)) {
      if (number > next) missing.push({ first: next, last: number - 1, offset });
      offset += this.#size(this.#waiting.get(number)!);
      next = number + 1;
    }
    return missing;
  }
}
