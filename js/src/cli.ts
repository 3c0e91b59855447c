// The command line. It reads files piece by piece and keeps none of their bytes:
// what it writes are ranges of them, or what plans make of these.

import { readFileSync } from "node:fs";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { Input, Progress, UsageError, writeFile, writeFully } from "./cli-files.js";
import { elementLine } from "./elements.js";
import { WebmendError } from "./error.js";
import { init, instance } from "./load.js";
import { pieceLength, planFlags, Splitter, Walker, type ModuleReport } from "./module.js";
import { planKinds } from "./plan.js";
import type { ClusterFacts, Gap, Problem, Range, RecordingFacts, Undecodable } from "./types.js";

const usage = `webmend takes apart what MediaRecorder recorded.

  webmend header   CHUNK... -o header.webm     the header, as recorded
  webmend clusters CHUNK... -o clusters.webm   all complete clusters, back to back
  webmend seekable CHUNK... -o out.webm        one file that players can seek in
  webmend clip     CHUNK... -o out.webm --start S --end S
                                               the part between two times, in seconds
  webmend join     FILE...  -o out.webm        recordings one after the other, seekable
  webmend check    CHUNK...                    what is damaged or missing; the exit status is 0 if
                                               nothing, 1 if something, 2 if there is no recording
  webmend info     CHUNK...                    every element, with its place and value

Several files are the chunks of one recording, in order, but for join; - is standard
input. "cat header.webm clusters.webm" plays. Nothing is encoded again.

  -o, --output FILE   where to write; - is standard output, the default in a pipe
  --recording N       which recording, if the recorder was restarted; default 1
  --header FILE       the header of the recording, if its first chunks are lost; but for join
  --start S, --end S  clip: from the last key frame at or before start; default all
  --keep-undecodable  seekable, clip, join: with the video between a loss and the next key
                      frame, and all else that cannot be decoded or comes twice
  --json              info: recordings, tracks and clusters, as JSON; check: the report
  --hex               info: with the bytes of each element's ID and size
  --help, --version
`;

const options = {
  output: { type: "string", short: "o" },
  recording: { type: "string" },
  header: { type: "string" },
  "keep-undecodable": { type: "boolean" },
  start: { type: "string" },
  end: { type: "string" },
  json: { type: "boolean" },
  hex: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} satisfies ParseArgsConfig["options"];

/** All that a stream holds. */
interface Contents {
  report: ModuleReport;
  clusters: ClusterFacts[];
  splitter: Splitter;
}

/** Splits the stream, as far as `until` wants. */
async function split(input: Input, until: (headers: Range[]) => boolean): Promise<Contents> {
  const splitter = new Splitter(await instance(), true);
  const progress = new Progress(input.size);
  const clusters: ClusterFacts[] = [];
  const headers: Range[] = [];
  let report: ModuleReport;
  let seen = 0;
  const take = () => {
    for (const { form: _form, fromZero: _zero, ...known } of splitter.takeClusters()) clusters.push(known);
  };
  /** Reads from an offset on, and returns the one from which it must be read again, or -1. */
  const read = (from: number): number => {
    let at = from;
    for (const bytes of input.read(from)) {
      for (let i = 0; i < bytes.length; i += pieceLength) {
        const piece = bytes.subarray(i, i + pieceLength);
        splitter.push(piece); // the report has its error
        let back = splitter.rewind();
        if (back >= 0) return back;
        at += piece.length;
        if (at !== input.joinedAt) continue;
        splitter.lost();
        back = splitter.rewind();
        if (back >= 0) return back;
      }
      for (let h; (h = splitter.takeHeader()); ) headers.push(h);
      take();
      if (until(headers)) break;
      progress.add(Math.max(0, at - seen));
      seen = Math.max(at, seen);
    }
    report = splitter.finish();
    return splitter.rewind();
  };
  try {
    for (let from = 0; from >= 0; ) from = read(from);
    take();
    return { report: report!, clusters, splitter };
  } finally {
    progress.end();
  }
}

/** The recording that --recording asks for, and its index. One that only --header has does not count. */
function choose({ report }: Contents, input: Input, index: number): { recording: RecordingFacts; index: number } {
  if (report.recordings.length === 0) throw new WebmendError(report.error!);
  const unused = input.joinedAt >= 0 && report.recordings.length > 1 && report.recordings[0]!.clusters === 0 ? 1 : 0;
  const recording = report.recordings[index + unused];
  if (!recording) throw new UsageError(`there is no recording ${index + 1}: the stream has ${report.recordings.length - unused}`);
  return { recording, index: index + unused };
}

/** Writes ranges of the input. */
function write(input: Input, ranges: Range[], output: string | undefined): void {
  writeFile(output, (fd) => {
    for (const range of ranges) for (const piece of input.read(range.start, range.end)) writeFully(fd, piece);
  });
}

/** Neighbouring ranges as one, so that they are copied as one. */
function merge(ranges: Range[]): Range[] {
  const merged: Range[] = [];
  for (const { start, end } of ranges) {
    const last = merged.at(-1);
    if (last?.end === start) last.end = end;
    else merged.push({ start, end });
  }
  return merged;
}

function say(text: string): void {
  process.stderr.write(`webmend: ${text.replace(/^webm(end)?: /, "")}\n`);
}

/** Says what of the stream is lost. Damage makes the exit status 1; being cut short at the end does not. */
function sayDropped(input: Input, { dropped, gaps }: ModuleReport): void {
  for (const { start, end, reason, before, after } of dropped) {
    if (reason.code === "lost" && start === input.joinedAt) continue; // as --header says
    const time = after === null ? "" : `, ${before.toFixed(3)} s to ${after.toFixed(3)} s`;
    say(`${reason.message}${input.place(reason.offset)}: left out ${end - start} bytes from ${start} on${time}`);
    if (reason.code !== "truncated") process.exitCode = 1;
  }
  for (const gap of gaps) say(`something is missing${gapText(input, gap)}`);
  if (gaps.length > 0) process.exitCode = 1;
}

/** Says, too, what of a file's recording cannot be decoded. */
function sayLeftOut(input: Input, report: ModuleReport, index: number, kept: boolean): void {
  sayDropped(input, report);
  const done = kept ? "kept" : "left out";
  for (const loss of report.undecodable) if (loss.recording === index) say(`${undecodableText(input, loss)}: ${done}`);
  const { repeated } = report.recordings[index]!;
  if (repeated > 0) say(`${repeated} blocks come twice: ${done}`);
}

/** Why frames cannot be decoded, by the reason that the report gives. */
const undecodableReasons: Record<Undecodable["reason"], string> = {
  "no-key-frame": "refer to lost ones",
  "out-of-order": "have no certain time, as the head of their Cluster is lost",
  "invalid-block": "are of no track of the header",
  misplaced: "are lost where there is an element that cannot be there",
};

function undecodableText(input: Input, { reason, track, frames, start, end, offset }: Undecodable): string {
  return `${frames} frames from ${start.toFixed(3)} s to ${end.toFixed(3)} s (track ${track}, from ${offset} on${input.place(offset)}) ${undecodableReasons[reason]}`;
}

function gapText(input: Input, { track, start, end, offset }: Gap): string {
  return ` before ${offset}${input.place(offset)}: track ${track} has no sound from ${start.toFixed(3)} s to ${end.toFixed(3)} s`;
}

async function header(input: Input, index: number, output: string | undefined): Promise<void> {
  const contents = await split(input, (headers) => headers.length > index);
  write(input, [choose(contents, input, index).recording.header], output);
}

async function clusters(input: Input, index: number, output: string | undefined): Promise<void> {
  const contents = await split(input, (headers) => headers.length > index + 1 && input.joinedAt < 0);
  const chosen = choose(contents, input, index);
  const ranges = contents.clusters.filter((c) => c.recording === chosen.index);
  write(input, merge(ranges), output);
  sayDropped(input, contents.report);
  const others = contents.report.recordings.length - 1;
  if (others > 0 && index === 0) say("the stream has more than one recording: --recording 2 gives the next");
}

/** Carries out a plan, and returns where in the recording it begins and ends. */
async function carryOut(plan: number, inputs: Input[], output: string | undefined): Promise<{ start: number; end: number }> {
  const module = await instance();
  let made = module.takePlan(plan);
  while ("reads" in made) {
    for (const { start, end } of made.reads) for (const bytes of inputs[0]!.read(start, end)) module.pushAll(plan, bytes);
    made = module.takePlan(plan);
  }
  const { pieces, size, start, end } = made;
  const literals = module.takeLiterals(plan);
  const progress = new Progress(size);
  writeFile(output, (fd) => {
    let at = 0;
    for (const [i, piece] of pieces.entries()) {
      if (piece.length === 1) {
        writeFully(fd, literals.subarray(at, (at += piece[0])));
        progress.add(piece[0]);
        continue;
      }
      const [source, start, end, edited] = piece;
      const read = inputs[source]!.read(start, end);
      for (const bytes of edited ? [edit(i, read)] : read) {
        writeFully(fd, bytes);
        progress.add(bytes.length);
      }
    }
  });
  progress.end();
  return { start, end };

  /** A piece that is edited, whole: it is a cluster at most. */
  function edit(i: number, read: Iterable<Uint8Array>): Uint8Array {
    const bytes = Buffer.concat(Array.from(read, (piece) => piece.slice()));
    module.edit(plan, i, bytes);
    return bytes;
  }
}

async function seekable(input: Input, index: number, flags: number, output: string | undefined): Promise<void> {
  const contents = await split(input, (headers) => headers.length > index + 1 && input.joinedAt < 0);
  const chosen = choose(contents, input, index);
  const { instance: module, handle } = contents.splitter;
  await carryOut(module.plan(handle, planKinds.seekable, chosen.index, flags), [input], output);
  sayLeftOut(input, contents.report, chosen.index, flags !== 0);
}

async function clip(input: Input, index: number, flags: number, range: Range, output: string | undefined): Promise<void> {
  const contents = await split(input, (headers) => headers.length > index + 1 && input.joinedAt < 0);
  const chosen = choose(contents, input, index);
  const end = Math.min(range.end, chosen.recording.duration + 1);
  const { instance: module, handle } = contents.splitter;
  const cut = await carryOut(module.plan(handle, planKinds.clip, chosen.index, flags, range.start, end), [input], output);
  // Beside the file, if that goes to standard output.
  const text = `${cut.start.toFixed(3)} ${cut.end.toFixed(3)}\n`;
  if (output === undefined || output === "-") process.stderr.write(text);
  else process.stdout.write(text);
  sayLeftOut(input, contents.report, chosen.index, flags !== 0);
}

async function joinAll(inputs: Input[], flags: number, output: string | undefined): Promise<void> {
  const all: Contents[] = [];
  for (const input of inputs) all.push(await split(input, (headers) => headers.length > 1));
  all.forEach((contents, i) => choose(contents, inputs[i]!, 0));
  const handles = all.map((contents) => contents.splitter.handle);
  await carryOut((await instance()).join(handles, flags), inputs, output);
  all.forEach((contents, i) => sayLeftOut(inputs[i]!, contents.report, 0, flags !== 0));
}

async function infoJSON(input: Input): Promise<void> {
  const contents = await split(input, () => false);
  const { report } = contents;
  if (report.recordings.length === 0) throw new WebmendError(report.error!);
  const recordings = report.recordings.map((recording, i) => ({
    ...recording,
    clusters: contents.clusters.filter((c) => c.recording === i).map(({ recording: _, ...cluster }) => cluster),
  }));
  writeFully(1, Buffer.from(JSON.stringify({ ...report, recordings }, null, 2) + "\n"));
  sayDropped(input, report);
}

async function check(input: Input, json: boolean): Promise<void> {
  const contents = await split(input, () => false);
  choose(contents, input, 0);
  const { recordings, dropped, gaps, undecodable, bytes } = contents.report;
  const lines = recordings.map((r, i) => `Recording ${i + 1}: ${r.mimeType}, ${r.duration.toFixed(3)} s in ${r.clusters} clusters`);
  let lost = 0;
  for (const [i, { start, end, before, after, reason }] of dropped.entries()) {
    lost += end - start;
    const until = after === null ? "the end" : `${after.toFixed(3)} s`;
    lines.push(`Left out ${i + 1}: ${end - start} bytes at ${start}${input.place(start)}, ${before.toFixed(3)} s to ${until}: ${reason.message.replace(/^webm: /, "")}`);
  }
  for (const [i, gap] of gaps.entries()) lines.push(`Missing ${i + 1}:${gapText(input, gap)}`);
  for (const [i, loss] of undecodable.entries()) lines.push(`Undecodable ${i + 1}: ${undecodableText(input, loss)}`);
  for (const [i, { repeated }] of recordings.entries()) if (repeated > 0) lines.push(`Repeated: ${repeated} blocks of recording ${i + 1} come twice`);
  lines.push(lost === 0 ? `Every byte of ${bytes} belongs to a whole element.` : `${lost} of ${bytes} bytes are left out.`);
  writeFully(1, Buffer.from(json ? JSON.stringify(contents.report, null, 2) + "\n" : lines.join("\n") + "\n"));
  const whole = dropped.length === 0 && gaps.length === 0 && undecodable.length === 0 && recordings.every((r) => r.repeated === 0);
  process.exitCode = whole ? 0 : 1;
}

async function infoTree(input: Input, hex: boolean): Promise<void> {
  const walker = new Walker(await instance());
  const line = elementLine(hex);
  const put = () => {
    const lines = walker.takeElements().map(line);
    if (lines.length > 0) writeFully(1, Buffer.from(lines.join("\n") + "\n"));
  };
  let problem: Problem | null = null;
  const progress = new Progress(process.stdout.isTTY ? 0 : input.size);
  for (const piece of input.read()) {
    // Small pieces, as what they hold can be more text than bytes.
    for (let i = 0; i < piece.length && !problem; i += 1 << 16) {
      try {
        walker.push(piece.subarray(i, i + (1 << 16)));
      } catch (error) {
        if (!(error instanceof WebmendError) || error.code === "trap") throw error;
        problem = error;
      }
      put();
    }
    if (problem) break;
    progress.add(piece.length);
  }
  problem ??= walker.finish();
  put();
  progress.end();
  if (problem?.code === "truncated") say(problem.message + input.place(problem.offset));
  else if (problem) throw new WebmendError({ ...problem, message: problem.message + input.place(problem.offset) });
}

function seconds(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new UsageError(`--${name} must be a number of seconds, not ${text}`);
  return value;
}

async function main(args: string[]): Promise<void> {
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  const [command, ...chunks] = positionals;
  if (values.version) {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    return void process.stdout.write(`${version}\n`);
  }
  if (values.help || command === undefined) return void process.stdout.write(usage);
  if (!["header", "clusters", "seekable", "clip", "join", "check", "info"].includes(command)) throw new UsageError(`there is no command ${command}: see webmend --help`);
  if (chunks.length === 0) throw new UsageError(`${command} which file? Give the chunks of a recording, or - for standard input`);
  const index = Number(values.recording ?? 1) - 1;
  if (!(Number.isInteger(index) && index >= 0)) throw new UsageError("--recording must be a number from 1 on");

  const start = seconds("start", values.start ?? "0");
  const end = seconds("end", values.end ?? "Infinity");

  await init({ wasm: new URL("./webmend.wasm", import.meta.url) });
  const inputs: Input[] = [];
  try {
    if (values.header !== undefined && command === "join") throw new UsageError("--header is not for join: make each file seekable with it first");
    for (const paths of command === "join" ? chunks.map((path) => [path]) : [chunks]) inputs.push(new Input(paths, values.header));
    const input = inputs[0]!;
    const flags = values["keep-undecodable"] ? planFlags.keepUndecodable : 0;
    if (command === "header") await header(input, index, values.output);
    else if (command === "clusters") await clusters(input, index, values.output);
    else if (command === "seekable") await seekable(input, index, flags, values.output);
    else if (command === "clip") await clip(input, index, flags, { start, end }, values.output);
    else if (command === "join") await joinAll(inputs, flags, values.output);
    else if (command === "check") await check(input, values.json ?? false);
    else if (values.json) await infoJSON(input);
    else await infoTree(input, values.hex ?? false);
  } finally {
    for (const input of inputs) input.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EPIPE") process.exit(0); // the reader of a pipe has seen enough
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = process.argv[2] === "check" ? 2 : 1;
});
