// Puts numbered chunks in order.

import { sizeOf } from "../base/blobs.js";
import type { Bytes } from "../base/bytes.js";
import { WebmendError } from "../base/error.js";
import type { Missing } from "../base/types.js";

/** Chunks of one recording, which are numbered from 0. */
export class Order {
  readonly #limit: number;
  #next: number | null;
  #offset: number; // where the next begins
  #waiting = new Map<number, Blob | Bytes>();

  /**
   * @param limit how many may wait
   * @param next the first number; null if it is that of whatever comes first
   * @param offset where in the stream that begins
   */
  constructor(limit: number, next: number | null, offset: number) {
    this.#limit = limit;
    this.#next = next;
    this.#offset = offset;
  }

  /** Takes a chunk, and returns those whose turn has come: none of one that was there before. */
  put(number: number, chunk: Blob | Bytes): (Blob | Bytes)[] {
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
    const ready: (Blob | Bytes)[] = [];
    for (let next; (next = this.#waiting.get(this.#next)); this.#next++) {
      this.#waiting.delete(this.#next);
      this.#offset += sizeOf(next);
      ready.push(next);
    }
    return ready;
  }

  /** The chunks that wait, in order, with null wherever some are missing before the next, and which these are. */
  rest(): { chunks: (Blob | Bytes | null)[]; missing: Missing[] } {
    const chunks: (Blob | Bytes | null)[] = [];
    const missing: Missing[] = [];
    let next = this.#next!;
    let offset = this.#offset;
    for (const [number, chunk] of [...this.#waiting].sort(([a], [b]) => a - b)) {
      if (number > next) {
        chunks.push(null);
        missing.push({ first: next, last: number - 1, offset });
      }
      chunks.push(chunk);
      offset += sizeOf(chunk);
      next = number + 1;
    }
    return { chunks, missing };
  }
}
