// What another stream needs to go on if a worker ends: what its stream was given since what it
// has told, and how far it had come.

import type { Bytes } from "../base/bytes.js";
import type { Hole, Place, Placed, Saved, StreamOptions, Told } from "./calls.js";

/** A Blob that the page could not read, and why: no worker can have it. */
export interface Unreadable {
  size: number;
  unreadable: string;
}

export class Log {
  readonly #inStore: boolean;
  #place: Place = { handed: 0, given: 0, bounds: [0], losses: [], holes: [], headers: [], report: null };
  #parts: Placed<Blob>[] = [];
  #losses: number[] = []; // of which the stream may not have told
  #size = 0;
  #seam: number | undefined;
  #ended = false;

  /** @param saved what the stream goes on from */
  constructor({ wanted }: StreamOptions, saved?: Saved) {
    this.#inStore = wanted === "store";
    if (!saved) return;
    const { parts, size, seam, ended, ...place } = saved;
    this.#place = place;
    this.#parts = parts.map((part) => ({ ...part, data: blobOf(part.data) }));
    this.#size = size;
    this.#seam = seam;
    this.#ended = ended;
  }

  push(chunk: Blob | Bytes | Unreadable): void {
    if ("unreadable" in chunk) return this.#omit(chunk);
    const data = blobOf(chunk);
    this.#seam = this.#size;
    this.#parts.push({ start: this.#size, end: (this.#size += data.size), data });
  }

  lost(): void {
    this.#losses.push(this.#size);
  }

  finish(): void {
    this.#ended = true;
  }

  /** Takes in what the stream will have left out. */
  #omit({ size, unreadable }: Unreadable): void {
    const offset = this.#size;
    const hole: Hole = { code: "read", message: `webmend: the chunk at ${offset} could not be read: ${unreadable}`, offset, path: "", end: offset + size };
    this.#place = { ...this.#place, holes: [...this.#place.holes, hole] };
    this.lost();
    this.push(new Blob([new Uint8Array(size)])); // any bytes, as they are not looked at
    this.lost();
  }

  /** Takes in what the stream has told, which has neither headers nor report in its place. */
  told({ stored, report }: Told, place: Place): void {
    const headers = [...this.#place.headers, ...stored.filter((s) => s.header).map((s) => ({ start: s.header!.start, end: s.header!.end, data: s.head }))];
    this.#place = { ...place, headers, report: report ?? this.#place.report };
    const base = this.#inStore ? place.handed : place.bounds[0]!;
    this.#parts = this.#parts.filter((part) => part.end > base);
  }

  saved(): Saved {
    const losses = [...new Set([...this.#place.losses, ...this.#losses])].sort((a, b) => a - b);
    return { ...this.#place, losses, parts: this.#parts, size: this.#size, seam: this.#seam, ended: this.#ended };
  }
}

/** Bytes in the browser's memory, as they go to the worker. */
const blobOf = (data: Blob | Bytes) => (ArrayBuffer.isView(data) ? new Blob([data]) : data);
