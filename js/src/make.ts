// Makes files: of recordings, and of existing files, which it splits. Loaded with the first
// recording, so that it is there when something has been recorded, or with the first file.

import { tell, trapped, WebmendError } from "./base/error.js";
import type { Report } from "./base/types.js";
import type { EngineCalls, Pieces, StreamCalls } from "./engine/calls.js";
import { planFlags } from "./engine/module.js";
import { carryOut, planKinds, type JobOptions, type Made, type Source } from "./media/plan.js";

/** @internal */
export { carryOut };

/** How much of a file is read at once. */
const readLength = 4 << 20;

type GetEngine = () => Promise<EngineCalls>;

/** @internal */
export async function repair(engine: GetEngine, file: Blob | Blob[], options: JobOptions & { recording?: number }): Promise<Made & { report: Report }> {
  const { made, report } = await make(engine, [file], options, ([stream]) => stream.plan(planKinds.seekable, options.recording ?? 0, flagsOf(options)));
  return { ...made, report };
}

/** @internal */
export async function join(engine: GetEngine, files: Blob[], options: JobOptions): Promise<Made> {
  return (await make(engine, files, options, ([first, ...others]) => first.join(others.map((o) => o.handle), flagsOf(options)))).made;
}

/** @internal */
export async function clip(engine: GetEngine, file: Blob, options: { start: number; end: number } & JobOptions): Promise<Made> {
  return (await make(engine, [file], options, ([stream]) => stream.plan(planKinds.clip, 0, flagsOf(options), options.start, options.end))).made;
}

/** What keeps undecodable frames in a file, if it is wanted. */
const flagsOf = ({ keepUndecodable }: JobOptions) => (keepUndecodable ? planFlags.keepUndecodable : 0);

/**
 * Splits files, in an instance of the module of their own, and makes what `begin` plans of
 * them. Should the module trap, all is done once more. The report is that of the first file.
 */
async function make(
  engine: GetEngine,
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
