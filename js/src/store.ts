// Where a page keeps a recording: cut where files will want it, so that making one
// copies no media.

/** How large a Blob of the store is: each costs the browser a third of a millisecond, whatever its size. */
const blobLength = 1 << 20;

/**
 * A recording's header, and then bytes that are only ever added to, in Blobs of
 * about 1 MiB. The header stays as bytes: files are made of parts of it.
 */
export class Store {
  readonly #header: Uint8Array<ArrayBuffer>;
  #blobs: { start: number; blob: Blob }[] = [];
  #open: Uint8Array<ArrayBuffer>[] = [];
  #openStart: number;
  size: number;

  constructor(header: Uint8Array<ArrayBuffer>) {
    this.#header = header;
    this.#openStart = this.size = header.length;
  }

  /** Adds bytes, which must not change from then on. */
  add(...parts: Uint8Array<ArrayBuffer>[]): void {
    for (const part of parts) {
      this.#open.push(part);
      this.size += part.length;
    }
    if (this.size - this.#openStart >= blobLength) this.#close();
  }

  #close(): void {
    if (this.#openStart === this.size) return;
    this.#blobs.push({ start: this.#openStart, blob: new Blob(this.#open) });
    this.#open = [];
    this.#openStart = this.size;
  }

  /** The bytes from start up to end, to be part of a Blob. Whole Blobs are shared, not copied. */
  parts(start: number, end: number): BlobPart[] {
    const parts: BlobPart[] = [];
    if (start < this.#header.length) parts.push(this.#header.subarray(start, end));
    for (let i = this.#find(start); i < this.#blobs.length; i++) {
      const { start: at, blob } = this.#blobs[i]!;
      if (at >= end) break;
      const from = Math.max(0, start - at);
      const to = Math.min(blob.size, end - at);
      if (from < to) parts.push(from === 0 && to === blob.size ? blob : blob.slice(from, to));
    }
    let at = this.#openStart;
    for (const part of this.#open) {
      if (start < at + part.length && end > at) parts.push(part.subarray(Math.max(0, start - at), end - at));
      at += part.length;
    }
    return parts;
  }

  /** The index of the Blob that start is in, or of the first after it. */
  #find(start: number): number {
    let low = 0;
    let high = this.#blobs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { start: at, blob } = this.#blobs[middle]!;
      if (at + blob.size <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
