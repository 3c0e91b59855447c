// Carries out plans: makes a Blob of the pieces that the module lists.

import { read, type Bytes } from "../base/bytes.js";
import { tell } from "../base/error.js";
import type { StreamCalls } from "../engine/calls.js";
import { steps, type Pieces } from "../engine/plans.js";

/** The kinds of plan of one recording. @internal */
export const planKinds = { seekable: 0, clip: 1, joinPoint: 2, initialization: 3, live: 4, head: 5 } as const;

/** @internal */
export type PlanKind = keyof typeof planKinds;

/** Where the ranges of a plan's pieces come from. @internal */
export interface Source {
  /** The bytes from start up to end, to be part of a Blob. */
  parts(start: number, end: number): (Blob | Bytes)[] | Promise<(Blob | Bytes)[]>;
}

/** A file that was made, and what it covers. */
export interface MediaFile {
  blob: Blob;
  /** Seconds of the recording, where the file begins. */
  start: number;
  /** Seconds of the recording, where it ends. */
  end: number;
}

/** Options of what takes a while. */
export interface JobOptions {
  /** Ends the job: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Is told how much is done, from 0 to 1. */
  onProgress?: ((done: number) => void) | undefined;
  /**
   * Whether what the report calls `undecodable` stays in the file. Default false: the
   * picture before a loss stands still until the next key frame.
   */
  keepUndecodable?: boolean | undefined;
}

/** What of a recording a clip has, in seconds. */
export interface ClipRange {
  /** Default 0. */
  start?: number | undefined;
  /** Default: the end. */
  end?: number | undefined;
}

/** Which recording, and options of what takes a while. */
export interface MakeOptions extends JobOptions {
  /** Its index in the stream. Default: the last one. */
  recordingIndex?: number | undefined;
}

/** How many parts of a file are cut at once: each can take a fraction of a millisecond. */
const most = 64;

/** Carries out the plan that a stream has begun. @internal */
export async function carryOut(stream: StreamCalls, begun: Pieces, sources: Source[], options: JobOptions): Promise<MediaFile> {
  const { plan } = begun;
  try {
    const blob = async (source: number, start: number, end: number) => {
      options.signal?.throwIfAborted();
      return new Blob(await sources[source]!.parts(start, end));
    };
    let made = begun;
    while ("reads" in made) made = await stream.step(steps, "complete", plan, await Promise.all(made.reads.map((r) => blob(r.source, r.start, r.end))));
    const groups: Blob[] = [];
    const parts: BlobPart[] = [];
    let at = 0;
    for (const [i, piece] of made.pieces.entries()) {
      options.signal?.throwIfAborted();
      tell(options.onProgress, i / made.pieces.length);
      if (parts.length > most) {
        // The page would stand still while many are cut. A read lets it go on, as a timer
        // would not while the page is hidden.
        const group = new Blob(parts.splice(0));
        groups.push(group);
        await read(group.slice(0, 1), "what was recorded");
      }
      if (piece.length === 1) {
        parts.push(made.literals.slice(at, (at += piece[0])));
        continue;
      }
      const [source, start, end, edited] = piece;
      // An edited piece is made a Blob at once: the browser's memory, not the page's.
      if (edited) parts.push(new Blob([await stream.step(steps, "edit", plan, i, await blob(source, start, end))]));
      else parts.push(...(await sources[source]!.parts(start, end)));
    }
    tell(options.onProgress, 1);
    return { blob: new Blob([...groups, ...parts], { type: made.mimeType }), start: made.start, end: made.end };
  } finally {
    await stream.step(steps, "close", plan);
  }
}
