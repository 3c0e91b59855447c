// Reads a file piece by piece, for two readers that follow each other.

import { read, type Bytes } from "../base/bytes.js";

/** How much is read at once. */
const length = 1 << 20;

/** How many pieces are kept for who comes later: a cluster is seldom longer. */
const most = 16;

/** The bytes of a Blob. */
export class Pieces {
  readonly #blob: Blob;
  readonly #kept = new Map<number, Promise<Bytes>>();

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  /** Some bytes from an offset on that is before the end. Rejects with a WebmendError of code `read`. */
  async from(offset: number): Promise<Bytes> {
    const i = Math.floor(offset / length);
    const piece = this.#piece(i);
    if ((i + 1) * length < this.#blob.size) this.#piece(i + 1); // which comes while this one is looked at
    return (await piece).subarray(offset - i * length);
  }

  #piece(i: number): Promise<Bytes> {
    let piece = this.#kept.get(i);
    if (!piece) {
      const start = i * length;
      piece = read(this.#blob.slice(start, start + length), `the file at ${start}`, start);
      piece.catch(() => {}); // whoever asks for it is told
      this.#kept.set(i, piece);
      const [oldest] = this.#kept.keys();
      if (this.#kept.size > most) this.#kept.delete(oldest!);
    }
    return piece;
  }
}
