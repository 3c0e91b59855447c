// Makes files: of recordings, and of existing files, which it splits. Loaded with the first
// recording, so that it is there when something has been recorded, or with the first file.

import type { FileSource } from "./base/blobs.js";
import { check, tell, trapped, WebmendError } from "./base/error.js";
import { brand, gather, isList, native } from "./base/gather.js";
import { abortSignal, boolean, callback, checkOptions, number, type Known } from "./base/options.js";
import type { Report } from "./base/types.js";
import type { Contents } from "./contents.js";
import type { MadePlan } from "./engine/answers.js";
import type { EngineCalls, StreamCalls } from "./engine/calls.js";
import { noRecording, planFlags, steps, type Pieces } from "./engine/plans.js";
import { mustKeep } from "./inside.js";
import { carryOut, planKinds, type ClipRange, type JobOptions, type MakeOptions, type MediaFile, type PlanKind, type Source } from "./media/plan.js";

/** @internal */
export { native };

/** How much of a file is read at once. */
const readLength = 4 << 20;

type GetEngine = () => Promise<EngineCalls>;

/** @internal */
export async function repair(engine: GetEngine, file: FileSource, options: JobOptions & { recordingIndex?: number }): Promise<MediaFile & { report: Report }> {
  options = checkOptions(options, { ...jobOptions, ...recordingOption });
  const { made, report } = await make(engine, [file], options, ([stream]) => stream.step(steps, "plan", planKinds.seekable, options.recordingIndex ?? 0, flagsOf(options)));
  return { ...made, report };
}

/** @internal */
export async function join(engine: GetEngine, files: Iterable<FileSource>, options: JobOptions): Promise<MediaFile> {
  options = checkOptions(options, jobOptions);
  return (await make(engine, files, options, ([first, ...others]) => first.step(steps, "join", others.map((o) => o.handle), flagsOf(options)))).made;
}

/** @internal */
export async function clip(engine: GetEngine, file: FileSource, options: ClipRange & JobOptions): Promise<MediaFile> {
  const { start, end, ...others } = checkClip(options, jobOptions);
  return (await make(engine, [file], others, ([stream]) => stream.step(steps, "plan", planKinds.clip, 0, flagsOf(others), start, end))).made;
}

/** Makes a file of a recording that may go on. a and b are what its kind wants besides options. @internal */
export async function makeOf(contents: Contents, stream: StreamCalls, kind: PlanKind, options: MakeOptions & ClipRange, a?: number, b?: number): Promise<{ made: MediaFile; next: number }> {
  const known = { ...jobOptions, ...recordingOption };
  if (kind === "clip") ({ start: a, end: b, ...options } = checkClip(options, known));
  else options = checkOptions(options, known);
  const which = options.recordingIndex ?? contents.recordings.length - 1;
  const recording = contents.recordings[which];
  if (!recording) throw noRecording();
  if (kind !== "initialization") mustKeep(contents);
  const begun = await stream.step(steps, "plan", planKinds[kind], which, planFlags.stored | flagsOf(options), a, b);
  const open: Source = { parts: async (start, end) => [await stream.read(start, end)] };
  return { made: await carryOut(stream, begun, [recording.store, open], options), next: (begun as MadePlan).next };
}

const jobOptions: Known = { signal: abortSignal, onProgress: callback, keepUndecodable: boolean };
const recordingOption: Known = { recordingIndex: number };

/** Checks options with a range, which may begin before 0, and returns them with all of it. */
function checkClip<Options extends ClipRange>(options: Options, known: Known): Options & Required<ClipRange> {
  const { start = 0, end = Infinity, ...others } = options ?? {};
  for (const [name, value] of Object.entries({ start, end })) {
    check(typeof value === "number" && !Number.isNaN(value), `${name} must be a number of seconds, not ${String(value)}`);
  }
  checkOptions(others, { start: "", end: "", ...known });
  return { ...options, start, end };
}

/** What keeps undecodable frames in a file, if it is wanted. */
const flagsOf = ({ keepUndecodable }: JobOptions) => (keepUndecodable ? planFlags.keepUndecodable : 0);

/**
 * Splits files, in an instance of the module of their own, and makes what `begin` plans of
 * them. Should the module trap, all is done once more, and should its worker end, twice: then
 * without one. The report is that of the first file.
 */
async function make(
  engine: GetEngine,
  inputs: Iterable<FileSource>,
  { signal, onProgress }: JobOptions,
  begin: (streams: [StreamCalls, ...StreamCalls[]]) => Promise<Pieces>,
): Promise<{ made: MediaFile; report: Report }> {
  check(isList(inputs), `join takes a list of files, not ${brand(inputs)}`);
  const files = await Promise.all(Array.from(inputs, (input, i) => gather(input, `file ${i + 1}`)));
  if (files.length === 0) throw new WebmendError({ code: "no-clusters", message: "webmend: there is nothing to join" });
  for (let tries = 0; ; tries++) {
    const own = await (await engine()).another();
    const streams: StreamCalls[] = [];
    const sources: Source[] = [];
    let report: Report | undefined;
    try {
      for (const [i, { file, starts }] of files.entries()) {
        const stream = await own.open({ wanted: "nothing", seeks: true, starts });
        streams.push(stream);
        sources.push({ parts: (start, end) => [file.slice(start, end)] }); // which the browser shares where it can
        const found = await scan(stream, file, signal, (done) => tell(onProgress, (i + done) / files.length));
        report ??= found;
      }
      const begun = await begin(streams as [StreamCalls, ...StreamCalls[]]);
      return { made: await carryOut(streams[0]!, begun, sources, { signal }), report: report! };
    } catch (error) {
      if (!trapped(error) || tries > 1 || (tries > 0 && (error as WebmendError).code === "trap")) throw error;
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
