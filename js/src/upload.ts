// Uploads during the recording: parts of a file, and the checksums of segments. Loaded on
// demand.

import type { Bytes } from "./base/bytes.js";
import { check } from "./base/error.js";
import { checkOptions, number, text } from "./base/options.js";
import { begun, mustKeep, type Inside } from "./inside.js";
import type { PlanKind } from "./media/plan.js";

/** A part of a file that is uploaded while it is recorded. */
export interface Part {
  /** From 1. Parts in the order of their numbers are the file. */
  number: number;
  /** Where it begins in the file, in bytes. */
  offset: number;
  /** Its bytes, without a type: a signed address is for none. It shares the media with the recording. */
  blob: Blob;
  /** Whether it has the highest number, and may be shorter than the others. */
  last: boolean;
}

/** Options of the parts of a recording. */
export interface PartsOptions {
  /**
   * Bytes of each part but the one with the highest number. Default 8 MiB. S3 wants at least
   * 5 MiB and takes 10,000 parts at most, so that 8 MiB are enough for 78 GiB; Google Cloud
   * Storage wants a multiple of 256 KiB.
   */
  size?: number | undefined;
  /**
   * `seekable`: what is put together is a file in which players can seek, and whose sizes are
   * all known. The first part can be made last, so that the numbers come as 2, 3, …, n, 1.
   * `arrival`: 1, 2, …, n, for what only takes bytes in their order. That file has
   * neither Duration nor Cues, as those come first. Default `seekable`.
   */
  order?: "seekable" | "arrival" | undefined;
  /**
   * Of what length in seconds `seekable` has room for a Cue of every key frame: 4 KiB and
   * 34 bytes a second, at the beginning of the file, less than `size`. A longer recording has
   * fewer of them, evenly spread. Default 1800: 64 KiB.
   */
  expectedSeconds?: number | undefined;
  /** Which recording of the stream, if a recorder is restarted. Default 0, the first. */
  recordingIndex?: number | undefined;
}

const known = { size: number, order: text, expectedSeconds: number, recordingIndex: number };

/** Bytes that are reserved for what a file begins with, besides Cues. */
const headLength = 4 << 10;

/** Bytes of Cues for a second: 16 KiB hold every key frame of 8 minutes. */
const cuesLength = 34;

/** The source of a recording's `parts`: some bytes that come before the clusters, and these as the store has them. @internal */
export class Parts {
  readonly #inside: Inside;
  readonly #size: number;
  readonly #room: number; // 0 in the order of arrival
  readonly #recording: number;
  readonly #unwatch: () => void;
  #first: Blob | null = null; // the bytes before the clusters; while the first part is held back, what they would be
  #number: number; // of the next
  #held: boolean; // whether the first part is yet to come
  #failure: { reason: unknown } | null = null;
  #over = false; // all have been given, or nobody wants more
  #wake = () => {};
  #news = false;

  constructor(inside: Inside, options: PartsOptions) {
    mustKeep(inside.contents);
    const { size = 8 << 20, order = "seekable", expectedSeconds = 1800, recordingIndex = 0 } = checkOptions(options, known);
    const seekable = order === "seekable";
    check(seekable || order === "arrival", `the order of parts must be "seekable" or "arrival", not ${order}`);
    this.#room = seekable ? headLength + Math.ceil(cuesLength * expectedSeconds) : 0;
    check(Number.isSafeInteger(size) && size > this.#room, `the size of parts must be an integer above ${this.#room}, which is what is reserved for the beginning, not ${size}`);
    this.#inside = inside;
    this.#size = size;
    this.#recording = recordingIndex;
    this.#held = seekable;
    this.#number = seekable ? 2 : 1;
    this.#unwatch = inside.contents.watch(() => this.#tell());
    inside.finished.catch((reason) => {
      this.#failure = { reason };
      this.#tell();
    });
  }

  /** Gives the next part as soon as there is one, and closes after the last. */
  async pull(controller: ReadableStreamDefaultController<Part>): Promise<void> {
    try {
      for (;;) {
        this.#news = false;
        const part = await this.#next();
        if (part && !this.#over) return controller.enqueue(part);
        if (part === null && !this.#over) controller.close();
        if (part === null || this.#over) return this.cancel();
        if (!this.#news) await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  cancel(): void {
    this.#over = true;
    this.#unwatch();
    this.#wake();
  }

  #tell(): void {
    this.#news = true;
    this.#wake();
  }

  /** The next part, undefined if there is none yet, null if there are no more. */
  async #next(): Promise<Part | undefined | null> {
    if (this.#over) return;
    if (this.#failure) throw this.#failure.reason;
    const inside = this.#inside;
    const { state } = inside.contents;
    if (state !== "recording") await inside.finished; // or rather, how it failed
    if (state === "closed") await this.#make("initialization"); // which says that it is
    const recordings = begun(inside.contents);
    const facts = recordings[this.#recording];
    const store = inside.contents.recordings[this.#recording]?.store;
    const whole = state === "finished" || recordings.length > this.#recording + 1;
    if (!whole && !facts?.clusters) return;
    if (!facts?.clusters) await this.#make("seekable"); // which says that there are none
    // That there is room enough is known before anything has been sent.
    this.#first ??= await (this.#room ? this.#make("head") : this.#make("initialization"));

    const size = this.#size;
    const before = this.#first.size - (facts!.header.end - facts!.header.start); // from the store to the file
    const end = before + store!.size;
    const count = Math.ceil(end / size);
    const part = async (number: number) => {
      const offset = (number - 1) * size;
      const to = Math.min(offset + size, end);
      const first = this.#first!.size;
      const parts: BlobPart[] = offset < first ? [this.#first!.slice(offset, to)] : [];
      if (to > first) parts.push(...(await store!.parts(Math.max(offset, first) - before, to - before)));
      return { number, offset, blob: new Blob(parts), last: whole && number === count };
    };
    const number = this.#number;
    // A part is the last or not: a full one waits for what comes after it.
    if (number < count || (whole && number === count)) {
      this.#number++;
      return part(number);
    }
    if (!whole) return;
    if (!this.#held) return null;
    this.#held = false;
    this.#first = await this.#make("head");
    return part(1);
  }

  async #make(kind: PlanKind): Promise<Blob> {
    return (await this.#inside.make(kind, { recordingIndex: this.#recording }, this.#room)).made.blob;
  }
}

let table: Uint32Array | undefined;

/** The CRC-32 of bytes, as zip and gzip have it. @internal */
export function crc32(bytes: Bytes): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });
  let crc = -1;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
