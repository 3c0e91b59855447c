// Running the command line as a person does, in a folder of its own.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export const cli = new URL("../dist/cli.js", import.meta.url).pathname;
export const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;

export const folder = mkdtempSync(join(tmpdir(), "webmend-test-"));
after(() => rmSync(folder, { recursive: true }));

export function webmend(args, input) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: folder, input, maxBuffer: 1 << 28 });
  return { status, stdout, stderr: stderr.toString() };
}

/** What check says, a line each. */
export function check(...args) {
  const { status, stdout, stderr } = webmend(["check", ...args]);
  return { status, lines: stdout.toString().split("\n").slice(0, -1), stderr };
}

export const recording = (name) => readFileSync(join(testdata, `${name}.webm`));

/** Writes a file into the folder, and returns its name. */
export function write(name, ...parts) {
  writeFileSync(join(folder, name), Buffer.concat(parts.map((part) => Buffer.from(part))));
  return name;
}

/** Writes a recording as the files that its blobs would be, and returns their names. */
export function chunkFiles(name) {
  const bytes = recording(name);
  const { chunks } = JSON.parse(readFileSync(join(testdata, `${name}.json`)));
  let at = 0;
  return chunks.map((length, i) => write(`${name}-${String(i).padStart(3, "0")}.chunk`, bytes.subarray(at, (at += length))));
}

/** How many packets of each type ffprobe finds in a file. */
export function packets(file) {
  const args = ["-v", "error", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets", "-of", "csv=p=0", join(folder, file)];
  const counts = { video: 0, audio: 0 };
  for (const line of execFileSync("ffprobe", args, { encoding: "utf8" }).trim().split("\n")) {
    const [type, count] = line.split(",");
    counts[type] += Number(count) || 0;
  }
  return counts;
}
