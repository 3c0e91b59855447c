// Plans: the module says of which pieces a file is made, and this makes a Blob of
// them.

import type { Instance } from "./module.js";

/** The kinds of plan of one recording. */
export const planKinds = { seekable: 0, clip: 1, joinPoint: 2, initialization: 3 } as const;

/** Where the ranges of a plan's pieces come from. */
export interface Source {
  /** The bytes from start up to end, to be part of a Blob. */
  parts(start: number, end: number): BlobPart[];
}

/** What a plan makes. */
export interface Made {
  blob: Blob;
  /** Seconds of the recording, where the file begins. */
  start: number;
  /** Seconds of the recording, where it ends. */
  end: number;
}

/** Options of what takes a while. */
export interface JobOptions {
  /** Ends the job: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Is told how much is done, from 0 to 1. */
  onProgress?: (done: number) => void;
}

/** Carries out the plan that a handle stands for, and closes it. */
export async function carryOut(instance: Instance, handle: number, sources: Source[], options: JobOptions = {}): Promise<Made> {
  try {
    const plan = await instance.complete(handle, async (start, end) => {
      options.signal?.throwIfAborted();
      return [await read(sources[0]!, start, end)];
    });
    const literals = instance.takeLiterals(handle);
    const parts: BlobPart[] = [];
    let at = 0;
    for (const [i, piece] of plan.pieces.entries()) {
      options.signal?.throwIfAborted();
      options.onProgress?.(i / plan.pieces.length);
      if (piece.length === 1) {
        parts.push(literals.slice(at, (at += piece[0])));
        continue;
      }
      const [source, start, end, edited] = piece;
      if (!edited) {
        parts.push(...sources[source]!.parts(start, end));
        continue;
      }
      const bytes = await read(sources[source]!, start, end);
      instance.edit(handle, i, bytes);
      parts.push(new Blob([bytes])); // the browser's memory, not the page's
    }
    options.onProgress?.(1);
    return { blob: new Blob(parts, { type: plan.mimeType }), start: plan.start, end: plan.end };
  } finally {
    instance.close(handle);
  }
}

/** The bytes of a range, as a copy of the caller's own. */
async function read(source: Source, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Blob(source.parts(start, end)).arrayBuffer());
}
