// Where a page keeps a recording: cut where files will want it, so that making one
// copies no media.

import { joined, read, type Bytes } from "./bytes.js";

/** How large a Blob of the store is: each costs the browser a third of a millisecond, whatever its size. */
const blobLength = 1 << 20;

/** How many of them become one, so that a file is made of few: each costs it a tenth of a millisecond. */
const most = 16;

/**
 * What of a stream is in a store, to be scanned again: its bytes and, where the
 * stream had others, which.
 */
export interface Past {
  parts: (Blob | Bytes)[];
  splices: Splice[];
}

/** At offset `at` of a store, the stream has `insert` and not the next `skip` bytes. */
interface Splice {
  at: number;
  skip: number;
  insert: (Blob | Bytes)[];
}

/**
 * A recording's header, and then bytes that are only ever added to, in Blobs of
 * about 1 MiB, 16 of which become one. The header stays as bytes: files are made of
 * parts of it.
 */
export class Store {
  readonly #header: Bytes;
  readonly #splices: Splice[];
  #blobs: { start: number; blob: Blob }[] = [];
  #single = 0; // how many of the last Blobs are as they were closed
  #open: Bytes[] = [];
  #openStart: number;
  size: number;

  /** @param before what the stream has before the header */
  constructor(before: (Blob | Bytes)[], header: Bytes) {
    this.#header = header;
    this.#splices = [{ at: 0, skip: 0, insert: before }];
    this.#openStart = this.size = header.length;
  }

  /** Adds a cluster, whose bytes must not change from then on. In the stream, `before` is in the place of its head. */
  add(before: (Blob | Bytes)[], head: Bytes, data: Bytes[]): void {
    const last = this.#splices.at(-1)!.insert;
    this.#splices.push({ at: this.size, skip: head.length, insert: same(before, last) ? last : before });
    for (const part of [head, ...data]) {
      this.#open.push(part);
      this.size += part.length;
    }
    if (this.size - this.#openStart >= blobLength) this.close();
  }

  /** Makes a Blob of what is not in one yet, so that files need not. */
  close(): void {
    if (this.#open.length === 0) return;
    this.#blobs.push({ start: this.#openStart, blob: new Blob(this.#open) });
    this.#open = [];
    this.#openStart = this.size;
    if (++this.#single < most) return;
    // As a file of many Blobs takes the browser longer, they become one.
    const single = this.#blobs.splice(-most);
    this.#blobs.push({ start: single[0]!.start, blob: new Blob(single.map((b) => b.blob)) });
    this.#single = 0;
  }

  /** The bytes from start up to end, to be part of a Blob. Whole Blobs are shared, not copied. */
  parts(start: number, end: number): (Blob | Bytes)[] {
    const parts: (Blob | Bytes)[] = [];
    if (start < this.#header.length) parts.push(this.#header.subarray(start, end));
    for (const { start: at, blob } of this.#blobs) {
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

  /** What the stream has up to the end of the last cluster. */
  past(): Past {
    const open = joined(this.#open); // of their own, as buffers travel whole
    return { parts: [this.#header, ...this.#blobs.map((b) => b.blob), open], splices: this.#splices };
  }
}

/** Whether both are the same few bytes, as the heads of clusters mostly are. */
function same(a: (Blob | Bytes)[], b: (Blob | Bytes)[]): boolean {
  const [x, y] = [a[0], b[0]];
  return a.length === 1 && b.length === 1 && x instanceof Uint8Array && y instanceof Uint8Array && String(x) === String(y);
}

/** The bytes that the stream had, a Blob of the store at a time. */
export async function* recorded({ parts, splices }: Past): AsyncGenerator<Bytes> {
  const bytesOf = (part: Blob | Bytes) => (part instanceof Blob ? read(part, "what was recorded") : part);
  let at = 0;
  let next = 0;
  for (const part of parts) {
    const bytes = await bytesOf(part);
    const pieces: Bytes[] = [];
    let from = 0;
    for (; next < splices.length && splices[next]!.at < at + bytes.length; next++) {
      const splice = splices[next]!;
      pieces.push(bytes.subarray(from, splice.at - at));
      for (const insert of splice.insert) pieces.push(await bytesOf(insert));
      from = splice.at - at + splice.skip; // a head and its data are in one part
    }
    yield joined([...pieces, bytes.subarray(from)]);
    at += bytes.length;
  }
}
