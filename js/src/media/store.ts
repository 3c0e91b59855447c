// Keeps a recording, cut where files will want it, so that making one copies no media.

import { joined, type Bytes } from "../base/bytes.js";
import type { Past, Splice } from "../engine/calls.js";

/** How large a Blob of the store is: each costs the browser a third of a millisecond, whatever its size. */
const blobLength = 1 << 20;

/** How many of them become one, so that a file is made of few: each costs it a tenth of a millisecond. */
const most = 16;

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
    // Once for all clusters in a row, as their heads are mostly the same.
    const few = before.every((part) => ArrayBuffer.isView(part));
    this.#splices.push({ at: this.size, skip: head.length, insert: few && String(before) === String(last) ? last : before });
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
