// Repairs, joins and clips existing files: what does that is loaded when it is needed.

import type { FileSource } from "./base/blobs.js";
import { late } from "./base/error.js";
import type { Report } from "./base/types.js";
import { engine } from "./engine/load.js";
import { midstream } from "./engine/stream.js";
import type { ClipRange, JobOptions, MediaFile } from "./media/plan.js";

/** What `repair` gives. */
export interface Repaired extends MediaFile {
  /** What was found in the file, and what was left out of it. */
  report: Report;
}

/**
 * Makes a recording that was saved as it came seekable: the file has Duration, Cues,
 * SeekHead and known sizes, and nothing of what is broken. A list has the chunks of
 * one stream, in order. If there are several recordings in it, it takes the first, or
 * the one with the index `recordingIndex`.
 *
 * Rejects with a WebmendError if there is no recording in it, and with the signal's
 * reason if that ends it.
 */
export async function repair(file: FileSource, options: JobOptions & { recordingIndex?: number | undefined } = {}): Promise<Repaired> {
  return (await maker()).repair(engine, file, options);
}

/**
 * Makes one seekable file of a list of files, one after the other. If there are several recordings
 * in a file, it takes all of them, in order.
 *
 * Rejects with a WebmendError of code `incompatible`, which names the tracks, when
 * one file cannot hold them.
 */
export async function join(files: Iterable<FileSource>, options: JobOptions = {}): Promise<MediaFile> {
  return (await maker()).join(engine, files, options);
}

/**
 * Makes a file of the part of another from `start` up to `end`, in seconds, whose times
 * begin at 0. It begins at the last key frame at or before `start`; the `start` and `end`
 * of the result are the times actually used. If there are several recordings in the file,
 * it takes the first.
 *
 * Rejects with a WebmendError of code `invalid-range` if the file has nothing there.
 */
export async function clip(file: FileSource, options: ClipRange & JobOptions = {}): Promise<MediaFile> {
  return (await maker()).clip(engine, file, options);
}

/** Loads what every recording may need, as far as it can be. @internal */
export const scripts = () => Promise.allSettled([maker(), midstream()]);

/** What makes files. @internal */
export const maker = () => late("make.js", import("./make.js"));
