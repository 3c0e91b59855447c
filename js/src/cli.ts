// The command line. It reads files piece by piece and keeps none of their bytes:
// what it writes are ranges of them.

import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { elementLine } from "./elements.js";
import { WebmendError } from "./error.js";
import { init, instance } from "./load.js";
import { Splitter, Walker } from "./module.js";
import type { ClusterFacts, Problem, Range, RecordingFacts, Report } from "./types.js";

const usage = `webmend takes apart what MediaRecorder recorded.

  webmend header   CHUNK... -o header.webm     the header, as recorded
  webmend clusters CHUNK... -o clusters.webm   all complete clusters, back to back
  webmend info     CHUNK...                    every element, with its place and value

Several files are the chunks of one recording, in order; - is standard input.
"cat header.webm clusters.webm" plays.

  -o, --output FILE   where to write; - is standard output, the default in a pipe
  --recording N       which recording, if the recorder was restarted; default 1
  --json              info: recordings, tracks and clusters, as JSON
  --hex               info: with the bytes of each element's ID and size
  --help, --version
`;

const options = {
  output: { type: "string", short: "o" },
  recording: { type: "string" },
  json: { type: "boolean" },
  hex: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} satisfies ParseArgsConfig["options"];

/** A mistake in how the command was called. */
class UsageError extends Error {}

/** The chunks as one stream. */
class Input {
  readonly #files: { path: string; fd: number; start: number; size: number }[] = [];
  #temporary: string | undefined;
  size = 0;

  constructor(paths: string[]) {
    for (const path of paths) {
      let fd = path === "-" ? 0 : openSync(path, "r");
      const stat = fstatSync(fd);
      if (stat.isDirectory()) throw new UsageError(`${path} is a folder`);
      const size = stat.isFile() && path !== "-" ? stat.size : readAll(fd, (fd = this.#spool()));
      this.#files.push({ path, fd, start: this.size, size });
      this.size += size;
    }
  }

  /** A file for what can be read only once. */
  #spool(): number {
    this.#temporary ??= mkdtempSync(join(tmpdir(), "webmend-"));
    return openSync(join(this.#temporary, String(this.#files.length)), "w+");
  }

  /** The bytes from start up to end, in pieces that are valid until the next. */
  *read(start = 0, end = this.size): Generator<Uint8Array> {
    const buffer = new Uint8Array(1 << 20);
    for (const file of this.#files) {
      const last = Math.min(end, file.start + file.size);
      for (let at = Math.max(start, file.start); at < last; ) {
        const n = readSync(file.fd, buffer, 0, Math.min(buffer.length, last - at), at - file.start);
        if (n === 0) throw new Error(`${file.path} became shorter while it was read`);
        yield buffer.subarray(0, n);
        at += n;
      }
    }
  }

  /** Where an offset of the stream is, for people who have files. */
  place(offset: number): string {
    const file = this.#files.findLast((f) => f.start <= offset);
    return this.#files.length > 1 && file ? ` (${file.path} at ${offset - file.start})` : "";
  }

  close(): void {
    for (const { fd } of this.#files) closeSync(fd);
    if (this.#temporary) rmSync(this.#temporary, { recursive: true });
  }
}

function readAll(from: number, to: number): number {
  const buffer = new Uint8Array(1 << 20);
  for (let size = 0; ; ) {
    let n: number;
    try {
      n = readSync(from, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EOF") return size;
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // a pipe that has nothing yet
      continue;
    }
    if (n === 0) return size;
    writeFully(to, buffer.subarray(0, n));
    size += n;
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // a pipe whose reader is slow
    }
  }
}

/** Progress on a terminal, of jobs that last. */
class Progress {
  readonly #begin = performance.now();
  #shown = 0;
  #done = 0;

  constructor(readonly total: number) {}

  add(bytes: number): void {
    this.#done += bytes;
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#begin < 500 || now - this.#shown < 100) return;
    this.#shown = now;
    process.stderr.write(`\r${((100 * this.#done) / this.total).toFixed(0)} % of ${(this.total / 1e6).toFixed(0)} MB \x1b[K`);
  }

  end(): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
  }
}

/** All that a stream holds. */
interface Contents {
  report: Report;
  clusters: ClusterFacts[];
}

/** Splits the stream, as far as `until` wants. */
async function split(input: Input, until: (headers: Range[]) => boolean): Promise<Contents> {
  const splitter = new Splitter(await instance());
  const progress = new Progress(input.size);
  const clusters: ClusterFacts[] = [];
  const headers: Range[] = [];
  try {
    for (const piece of input.read()) {
      try {
        splitter.push(piece);
      } catch (error) {
        if (splitter.dead) throw error; // otherwise the report has it
      } finally {
        if (!splitter.dead) {
          for (let h; (h = splitter.takeHeader()); ) headers.push(h);
          clusters.push(...splitter.takeClusters());
        }
      }
      if (until(headers)) break;
      progress.add(piece.length);
    }
    const report = splitter.finish();
    clusters.push(...splitter.takeClusters());
    return { report, clusters };
  } finally {
    progress.end();
  }
}

/** The recording that --recording asks for. */
function choose({ report }: Contents, index: number): RecordingFacts {
  if (report.recordings.length === 0) throw new WebmendError(report.error!);
  const recording = report.recordings[index];
  if (!recording) throw new UsageError(`there is no recording ${index + 1}: the stream has ${report.recordings.length}`);
  return recording;
}

/** Writes ranges of the input to a file that is there whole or not at all. */
function write(input: Input, ranges: Range[], output: string | undefined): void {
  if (output === undefined && process.stdout.isTTY) throw new UsageError("say where to write: -o FILE");
  const copy = (fd: number) => {
    for (const range of ranges) for (const piece of input.read(range.start, range.end)) writeFully(fd, piece);
  };
  if (output === undefined || output === "-") return copy(1);
  const beside = join(dirname(output), `.${basename(output)}.${process.pid}.part`);
  const fd = openSync(beside, "wx");
  try {
    try {
      copy(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, output);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
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
function sayDropped(input: Input, { error, dropped }: Report): void {
  for (const { start, end, reason } of dropped) {
    say(`${reason.message}${input.place(reason.offset)}: left out ${end - start} bytes from ${start} on`);
  }
  if (error) process.exitCode = 1;
}

async function header(input: Input, index: number, output: string | undefined): Promise<void> {
  const contents = await split(input, (headers) => headers.length > index);
  write(input, [choose(contents, index).header], output);
}

async function clusters(input: Input, index: number, output: string | undefined): Promise<void> {
  const contents = await split(input, (headers) => headers.length > index + 1);
  choose(contents, index);
  const ranges = contents.clusters.filter((c) => c.recording === index);
  write(input, merge(ranges), output);
  sayDropped(input, contents.report);
  const others = contents.report.recordings.length - 1;
  if (others > 0 && index === 0) say("the stream has more than one recording: --recording 2 gives the next");
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
  if (!["header", "clusters", "info"].includes(command)) throw new UsageError(`there is no command ${command}: see webmend --help`);
  if (chunks.length === 0) throw new UsageError(`${command} which file? Give the chunks of a recording, or - for standard input`);
  const index = Number(values.recording ?? 1) - 1;
  if (!(Number.isInteger(index) && index >= 0)) throw new UsageError("--recording must be a number from 1 on");

  await init();
  const input = new Input(chunks);
  try {
    if (command === "header") await header(input, index, values.output);
    else if (command === "clusters") await clusters(input, index, values.output);
    else if (values.json) await infoJSON(input);
    else await infoTree(input, values.hex ?? false);
  } finally {
    input.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EPIPE") process.exit(0); // the reader of a pipe has seen enough
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
