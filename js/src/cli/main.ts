// The command line: its arguments and commands. It reads files piece by piece and keeps none
// of their bytes: what it writes are ranges of them, or what plans make of these.

import { readFileSync } from "node:fs";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { WebmendError } from "../base/error.js";
import type { Dropped, Problem, Range, RecordingFacts } from "../base/types.js";
import type { ModuleReport } from "../engine/answers.js";
import { init, instance } from "../engine/load.js";
import { join, plan, planFlags, takeLiterals, takePlan } from "../engine/plans.js";
import { elementLine } from "../media/elements.js";
import { planKinds } from "../media/plan.js";
import { Input, Progress, UsageError, writeFile, writeFully } from "./files.js";
import { lossesOf, problemText, reportLines, say, sayDropped, sayLosses } from "./messages.js";
import { splitInOrder, type OrderedContents } from "./order.js";
import { split, walk, type Contents } from "./split.js";

const usage = `webmend makes playable, seekable files of MediaRecorder's chunks, without re-encoding.

  webmend seekable CHUNK... -o out.webm        one file with a duration and an index
  webmend clip     CHUNK... -o out.webm --start S --end S
                                               the part between two times, in seconds;
                                               prints the times actually used
  webmend join     FILE...  -o out.webm        all recordings of all files, one after another
  webmend check    CHUNK...                    what is damaged or lost, and where
  webmend header   CHUNK... -o header.webm     the header, as recorded
  webmend clusters CHUNK... -o clusters.webm   all complete clusters, back to back
  webmend info     CHUNK...                    every element, with its place and value

Several files are the chunks of one recording, in order; for join, each is a file of its
own. - is standard input. "cat header.webm clusters.webm" plays.

  -o, --output FILE   where to write; - is standard output, the default in a pipe
  --recording N       which recording to take if the input has several; default 1
  --header FILE       the header, if the recording's first chunks are lost; not for join
  --start S, --end S  clip: begins at the last key frame at or before S; default all
  --keep-undecodable  seekable, clip, join: keep what cannot be decoded after a loss, and
                      both copies of what was pushed twice
  --json              info: recordings, tracks and clusters, as JSON; check: the report
  --hex               info: with the bytes of each element's ID and size
  --help, --version

Exit status:
  0  nothing was lost. Gaps in time and chunks that were pushed twice are no loss.
  1  something was lost, damaged or cut short, or chunks were in the wrong order: all that
     is whole is written. Or the command failed: one line says why, and nothing is written.
  2  check: there is no recording, or the command failed
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

/** A recording of an input. */
interface Chosen {
  recording: RecordingFacts;
  index: number;
  /** How many others there are. */
  others: number;
}

/** The recording with a number. One that only --header has does not count. */
function choose({ report }: Contents, input: Input, number: number): Chosen {
  const { recordings } = report;
  if (recordings.length === 0) throw new WebmendError(report.error!);
  const unused = input.joinedAt >= 0 && recordings.length > 1 && recordings[0]!.clusters === 0 ? 1 : 0;
  const index = number - 1 + unused;
  const recording = recordings[index];
  if (!recording) throw new UsageError(`there is no recording ${number}: the input has ${recordings.length - unused}`);
  return { recording, index, others: recordings.length - unused - 1 };
}

/** The recording that --recording asks for, or the first: then it says which others there are. */
function chooseOne(contents: Contents, input: Input, number: number | undefined): Chosen {
  const chosen = choose(contents, input, number ?? 1);
  if (number === undefined && chosen.others === 1) say("the input has another recording: --recording 2 takes it");
  if (number === undefined && chosen.others > 1) say(`the input has ${chosen.others} other recordings: --recording 2 to --recording ${chosen.others + 1} take them`);
  return chosen;
}

/** Splits an input, and says which chunks were in the wrong order. */
async function read(input: Input): Promise<OrderedContents> {
  const contents = await splitInOrder(input);
  for (const [first, second] of contents.exchanged) say(`${first} and ${second} were in the wrong order: exchanged`);
  if (contents.exchanged.length > 0) process.exitCode = 1;
  return contents;
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

async function header(input: Input, number: number, output: string | undefined): Promise<void> {
  const contents = await split(input, number);
  write(input, [choose(contents, input, number).recording.header], output);
}

async function clusters(input: Input, number: number | undefined, output: string | undefined): Promise<void> {
  const contents = await read(input);
  const { index } = chooseOne(contents, input, number);
  const ranges = contents.clusters.filter((c) => c.recordingIndex === index);
  write(input, merge(ranges), output);
  sayDropped(input, contents.report);
}

/** Carries out a plan, and returns where in the recording it begins and ends. */
async function carryOut(plan: number, inputs: Input[], output: string | undefined): Promise<{ start: number; end: number }> {
  const module = await instance();
  let made = takePlan(module, plan);
  while ("reads" in made) {
    for (const { source, start, end } of made.reads) for (const bytes of inputs[source]!.read(start, end)) module.pushAll(plan, bytes);
    made = takePlan(module, plan);
  }
  const { pieces, size, start, end } = made;
  const literals = takeLiterals(module, plan);
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

async function seekable(input: Input, number: number | undefined, flags: number, output: string | undefined): Promise<void> {
  const contents = await read(input);
  const { index } = chooseOne(contents, input, number);
  const { instance: module, handle } = contents.splitter;
  await carryOut(plan(module, handle, planKinds.seekable, index, flags), [input], output);
  sayLosses(input, contents.report, { recording: index, kept: flags !== 0 });
}

async function clip(input: Input, number: number | undefined, flags: number, range: Range, output: string | undefined): Promise<void> {
  const contents = await read(input);
  const { index, recording } = chooseOne(contents, input, number);
  const end = Math.min(range.end, recording.duration + 1);
  const { instance: module, handle } = contents.splitter;
  const cut = await carryOut(plan(module, handle, planKinds.clip, index, flags, range.start, end), [input], output);
  // Beside the file, if that goes to standard output.
  const text = `${cut.start.toFixed(3)} ${cut.end.toFixed(3)}\n`;
  if (output === undefined || output === "-") process.stderr.write(text);
  else process.stdout.write(text);
  sayLosses(input, contents.report, { recording: index, kept: flags !== 0 });
}

async function joinAll(inputs: Input[], flags: number, output: string | undefined): Promise<void> {
  const all: Contents[] = [];
  for (const input of inputs) all.push(await read(input));
  all.forEach((contents, i) => choose(contents, inputs[i]!, 1));
  const handles = all.map((contents) => contents.splitter.handle);
  await carryOut(join(await instance(), handles, flags), inputs, output);
  all.forEach((contents, i) => sayLosses(inputs[i]!, contents.report, { kept: flags !== 0 }));
}

async function check(input: Input, json: boolean): Promise<void> {
  const { report, exchanged, ...contents } = await read(input);
  choose({ report, ...contents }, input, 1);
  const problem = await walk(new Progress(input.size).of(input.read()), () => {});
  const problems = problem && !isKnown(problem, report) ? [problem] : [];
  const text = json ? JSON.stringify({ ...report, problems, exchanged }, null, 2) : reportLines(input, report, problems).join("\n");
  writeFully(1, Buffer.from(text + "\n"));
  if (lossesOf(input, report).length + report.undecodable.length + problems.length > 0) process.exitCode = 1;
}

/** Whether the report has what is wrong with an element: it was dropped, or comes after what was, where nothing can be told. */
function isKnown({ offset }: Problem, { dropped }: ModuleReport): boolean {
  const isGap = (d: Dropped) => d.start < d.end || d.reason.code === "lost";
  return dropped.some((d) => offset === d.reason.offset || (isGap(d) && offset >= d.start));
}

async function infoJSON(input: Input): Promise<void> {
  const contents = await read(input);
  const { report } = contents;
  choose(contents, input, 1);
  const recordings = report.recordings.map((recording, i) => ({
    ...recording,
    clusters: contents.clusters.filter((c) => c.recordingIndex === i).map(({ recordingIndex: _, ...cluster }) => cluster),
  }));
  writeFully(1, Buffer.from(JSON.stringify({ ...report, recordings }, null, 2) + "\n"));
  sayDropped(input, report);
}

async function infoTree(input: Input, hex: boolean): Promise<void> {
  const line = elementLine(hex);
  const pieces = process.stdout.isTTY ? input.read() : new Progress(input.size).of(input.read());
  const problem = await walk(pieces, (elements) => {
    if (elements.length > 0) writeFully(1, Buffer.from(elements.map(line).join("\n") + "\n"));
  });
  if (!problem) return;
  say(problemText(input, problem));
  process.exitCode = 1;
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
  const number = values.recording === undefined ? undefined : Number(values.recording);
  if (number !== undefined && !(Number.isInteger(number) && number >= 1)) throw new UsageError("--recording must be a number from 1 on");
  const start = seconds("start", values.start ?? "0");
  const end = seconds("end", values.end ?? "Infinity");

  await init({ wasm: new URL("./webmend.wasm", import.meta.url) });
  const inputs: Input[] = [];
  try {
    if (values.header !== undefined && command === "join") throw new UsageError("--header is not for join: make each file seekable with it first");
    for (const paths of command === "join" ? chunks.map((path) => [path]) : [chunks]) inputs.push(new Input(paths, values.header));
    const input = inputs[0]!;
    const flags = values["keep-undecodable"] ? planFlags.keepUndecodable : 0;
    if (command === "header") await header(input, number ?? 1, values.output);
    else if (command === "clusters") await clusters(input, number, values.output);
    else if (command === "seekable") await seekable(input, number, flags, values.output);
    else if (command === "clip") await clip(input, number, flags, { start, end }, values.output);
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
