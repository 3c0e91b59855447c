// Repairs, joins and clips existing files.

import { trapped, WebmendError } from "./base/error.js";
import type { Report } from "./base/types.js";
import type { Pieces, StreamCalls } from "./engine/calls.js";
import { engine } from "./engine/load.js";
import { planFlags } from "./engine/module.js";
import { carryOut, planKinds, type JobOptions, type Made, type Source } from "./media/plan.js";

/** How much of a file is read at once. */
const readLength = 4 << 20;

/** What `repair` gives. */
export interface Repaired extends Made {
  /** What was found in the file, and what was left out of it. */
  report: Report;
}

/**
 * Makes a recording that was saved as it came seekable: the file has Duration, Cues,
 * SeekHead and known sizes, and nothing of what is broken. Several Blobs are the chunks of
 * one stream, in order. If there are several recordings in it, it takes the first, or
 * the one with the index `recording`.
 *
 * Rejects with a WebmendError if there is no recording in it, and with the signal's
 * reason if that ends it.
 */
export async function repair(file: Blob | Blob[], options: JobOptions & { recording?: number } = {}): Promise<Repaired> {
  const { made, report } = await make([file], options, ([stream], flags) => stream.plan(planKinds.seekable, options.recording ?? 0, flags));
  return { ...made, report };
}

/**
 * Makes one seekable file of several, one after the other. If there are several recordings
 * in a file, it takes all of them, in order.
 *
 * Rejects with a WebmendError of code `incompatible`, which names the tracks, when
 * one file cannot hold them.
 */
export async function join(files: Blob[], options: JobOptions = {}): Promise<Made> {
  if (files.length === 0) throw new WebmendError({ code: "no-clusters", message: "webmend: there is nothing to join" });
  return (await make(files, options, ([first, ...others], flags) => first.join(others.map((o) => o.handle), flags))).made;
}

/**
 * Makes a file of the part of another from `start` up to `end`, in seconds, whose times
 * begin at 0. It begins at the last key frame at or before `start`; the `start` and `end`
 * of the result are the times actually used. If there are several recordings in the file,
 * it takes the first.
 *
 * Rejects with a WebmendError of code `invalid-range` if the file has nothing there.
 */
export async function clip(file: Blob, options: { start: number; end: number } & JobOptions): Promise<Made> {
  return (await make([file], options, ([stream], flags) => stream.plan(planKinds.clip, 0, flags, options.start, options.end))).made;
}

/**
 * Splits files, in an instance of the module of their own, and makes what `begin` plans of
 * them. Should the module trap, all is done once more. The report is that of the first file.
 */
async function make(
  files: (Blob | Blob[])[],
  options: JobOptions,
  begin: (streams: [StreamCalls, ...StreamCalls[]], flags: number) => Promise<Pieces>,
): Promise<{ made: Made; report: Report }> {
  const { signal, onProgress, keepUndecodable } = options;
  for (let tries = 0; ; tries++) {
    const own = await (await engine()).another();
    const streams: StreamCalls[] = [];
    const sources: Source[] = [];
    let report: Report | undefined;
    try {
      for (const [i, file] of files.entries()) {
        let size = 0;
        const chunks = [file].flat();
        const starts = chunks.map((chunk) => (size += chunk.size) - chunk.size);
        const blob = Array.isArray(file) ? new Blob(file) : file;
        const stream = await own.open({ wanted: "nothing", seeks: true, starts });
        streams.push(stream);
        sources.push({ parts: (start, end) => [blob.slice(start, end)] }); // which the browser shares where it can
        const found = await scan(stream, blob, signal, (done) => onProgress?.((i + done) / files.length));
        report ??= found;
      }
      const begun = await begin(streams as [StreamCalls, ...StreamCalls[]], keepUndecodable ? planFlags.keepUndecodable : 0);
      return { made: await carryOut(streams[0]!, begun, sources, { signal }), report: report! };
    } catch (error) {
      if (!trapped(error) || tries > 0) throw error;
    } finally {
      for (const stream of streams) stream.close();
      own.close();
    }
  }
}

async function scan(stream: StreamCalls, file: Blob, signal: AbortSignal | undefined, onProgress: (done: number) => void): Promise<Report> {
  let most = 0;
  for (let at = 0; at >= 0; at = await stream.finish()) {
    while (at < file.size) {
      signal?.throwIfAborted();
      onProgress((most = Math.max(most, at)) / file.size);
      at = await stream.push(file.slice(at, at + readLength));
    }
  }
  const report = { ...stream.take().report!, missing: [] };
  if (report.recordings.length === 0) throw new WebmendError(report.error!);
  return report;
}
