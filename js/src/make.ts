// Splits existing files, and makes others of them. Loaded on demand.

import { tell, trapped, WebmendError } from "./base/error.js";
import type { Report } from "./base/types.js";
import type { EngineCalls, Pieces, StreamCalls } from "./engine/calls.js";
import { carryOut, type JobOptions, type Made, type Source } from "./media/plan.js";

/** How much of a file is read at once. */
const readLength = 4 << 20;

/**
 * Splits files, in an instance of the module of their own, and makes what `begin` plans of
 * them. Should the module trap, all is done once more. The report is that of the first file.
 *
 * @internal
 */
export async function make(
  engine: () => Promise<EngineCalls>,
  files: (Blob | Blob[])[],
  { signal, onProgress }: JobOptions,
  begin: (streams: [StreamCalls, ...StreamCalls[]]) => Promise<Pieces>,
): Promise<{ made: Made; report: Report }> {
  if (files.length === 0) throw new WebmendError({ code: "no-clusters", message: "webmend: there is nothing to join" });
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
        const found = await scan(stream, blob, signal, (done) => tell(onProgress, (i + done) / files.length));
        report ??= found;
      }
      const begun = await begin(streams as [StreamCalls, ...StreamCalls[]]);
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
