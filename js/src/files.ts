// What is recorded already: files in, files out.

import { trapped, WebmendError } from "./error.js";
import { engine } from "./load.js";
import { planFlags } from "./module.js";
import { carryOut, planKinds, type JobOptions, type Made, type Source } from "./plan.js";
import type { StreamCalls } from "./calls.js";
import type { Report } from "./types.js";

/** How much of a file is read at once. */
const readLength = 4 << 20;

/** A range of a Blob, which the browser shares where it can. */
function sourceOf(blob: Blob): Source {
  return { parts: (start, end) => [blob.slice(start, end)] };
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
export function repair(file: Blob | Blob[], options: JobOptions & { recording?: number } = {}): Promise<Repaired> {
  const blob = Array.isArray(file) ? new Blob(file) : file;
  return scanned([blob], options, async ([{ stream, report }]) => {
    const begun = await stream.plan(planKinds.seekable, options.recording ?? 0, flags(options));
    return { ...(await carryOut(stream, begun, [sourceOf(blob)], { signal: options.signal })), report };
  });
}

/**
 * Makes one seekable file of recordings, one after the other. Of each file it takes
 * the first recording.
 *
 * Rejects with a WebmendError of code `incompatible`, which names the tracks, when
 * one file cannot hold them.
 */
export async function join(files: Blob[], options: JobOptions = {}): Promise<Made> {
  if (files.length === 0) throw new WebmendError({ code: "no-clusters", message: "webmend: there is nothing to join" });
  return scanned(files, options, async ([first, ...others]) => {
    const begun = await first.stream.join(others.map((o) => o.stream.handle), flags(options));
    return carryOut(first.stream, begun, files.map(sourceOf), { signal: options.signal });
  });
}

/**
 * Makes a file of the part of another from `start` up to `end`, in seconds, whose times
 * begin at 0. It begins at the last key frame at or before `start`; the `start` and `end`
 * of the result are the real cut points. It takes the first recording in the file.
 *
 * Rejects with a WebmendError of code `invalid-range` if the file has nothing there.
 */
export function clip(file: Blob, options: { start: number; end: number } & JobOptions): Promise<Made> {
  return scanned([file], options, async ([{ stream }]) => {
    const begun = await stream.plan(planKinds.clip, 0, flags(options), options.start, options.end);
    return carryOut(stream, begun, [sourceOf(file)], { signal: options.signal });
  });
}

const flags = (options: JobOptions) => (options.keepUndecodable ? planFlags.keepUndecodable : 0);

/** A file that is split, and what it holds. */
interface Scan {
  stream: StreamCalls;
  report: Report;
}

/**
 * Splits files, in an instance of the module of their own, and makes something of
 * them. Should the module trap, all is done once more.
 */
async function scanned<T>(files: Blob[], options: JobOptions, make: (scans: [Scan, ...Scan[]]) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    const own = await (await engine()).another();
    const streams: StreamCalls[] = [];
    try {
      const scans: Scan[] = [];
      for (const [i, file] of files.entries()) {
        const stream = await own.open({ wanted: "nothing" });
        streams.push(stream);
        scans.push(await scan(stream, file, options.signal, (done) => options.onProgress?.((i + done) / files.length)));
      }
      return await make(scans as [Scan, ...Scan[]]);
    } catch (error) {
      if (!trapped(error) || tries > 0) throw error;
    } finally {
      for (const stream of streams) stream.close();
      own.close();
    }
  }
}

async function scan(stream: StreamCalls, file: Blob, signal: AbortSignal | undefined, onProgress: (done: number) => void): Promise<Scan> {
  for (let at = 0; at < file.size; at += readLength) {
    signal?.throwIfAborted();
    onProgress(at / file.size);
    await stream.push(file.slice(at, at + readLength));
  }
  await stream.finish();
  const report = { ...stream.take().report!, missing: [] };
  if (report.recordings.length === 0) throw new WebmendError(report.error!);
  return { stream, report };
}
