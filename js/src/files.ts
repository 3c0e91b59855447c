// What is recorded already: files in, files out.

import { instance } from "./load.js";
import { Splitter } from "./module.js";
import { carryOut, planKinds, type JobOptions, type Made, type Source } from "./plan.js";
import { WebmendError } from "./error.js";
import type { Report } from "./types.js";

/** How much of a file is read at once. */
const readLength = 4 << 20;

/** A range of a Blob, which the browser shares where it can. */
function sourceOf(blob: Blob): Source {
  return { parts: (start, end) => [blob.slice(start, end)] };
}

/** Splits a file, and says what it holds. The splitter must be closed. */
async function scan(blob: Blob, options: JobOptions): Promise<{ splitter: Splitter; report: Report }> {
  const splitter = new Splitter(await instance());
  try {
    for (let at = 0; at < blob.size; at += readLength) {
      options.signal?.throwIfAborted();
      options.onProgress?.(at / blob.size);
      const bytes = new Uint8Array(await blob.slice(at, at + readLength).arrayBuffer());
      try {
        splitter.push(bytes);
      } catch (error) {
        if (splitter.dead) throw error;
        break; // the report has it
      }
      splitter.takeClusters();
    }
    const report = splitter.finish();
    if (report.recordings.length === 0) throw new WebmendError(report.error!);
    return { splitter, report };
  } catch (error) {
    splitter.close();
    throw error;
  }
}

/** What `repair` gives. */
export interface Repaired extends Made {
  /** What was found in the file, and what was left out of it. */
  report: Report;
}

/**
 * Makes a recording that was saved as it came a file in which players can seek:
 * with Duration, Cues, SeekHead and known sizes, and without what is broken at its
 * end. Several Blobs are the chunks of one recording, in order.
 *
 * Rejects with a WebmendError if there is no recording in it, and with the signal's
 * reason if that ends it.
 */
export async function repair(file: Blob | Blob[], options: JobOptions & { recording?: number } = {}): Promise<Repaired> {
  const blob = Array.isArray(file) ? new Blob(file) : file;
  const { splitter, report } = await scan(blob, options);
  try {
    const plan = splitter.instance.plan(splitter.handle, planKinds.seekable, options.recording ?? 0, false);
    return { ...(await carryOut(splitter.instance, plan, [sourceOf(blob)], { signal: options.signal })), report };
  } finally {
    splitter.close();
  }
}

/**
 * Makes one seekable file of recordings, one after the other. Of each file it takes
 * the first recording.
 *
 * Rejects with a WebmendError of code `incompatible`, which names the tracks, when
 * one file cannot hold them.
 */
export async function join(files: Blob[], options: JobOptions = {}): Promise<Made> {
  const splitters: Splitter[] = [];
  try {
    for (const [i, file] of files.entries()) {
      const onProgress = (done: number) => options.onProgress?.((i + done) / files.length);
      splitters.push((await scan(file, { signal: options.signal, onProgress })).splitter);
    }
    const shared = await instance();
    const plan = shared.join(splitters.map((s) => s.handle));
    return await carryOut(shared, plan, files.map(sourceOf), { signal: options.signal });
  } finally {
    for (const s of splitters) s.close();
  }
}
