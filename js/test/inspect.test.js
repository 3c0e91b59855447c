// Every element of a file, as the command line lists it; and what is wrong with it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { elementValue, inspect, WebmendError } from "../dist/inspect.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const cli = new URL("../dist/cli.js", import.meta.url).pathname;
const names = readdirSync(testdata).filter((f) => f.endsWith(".webm")).map((f) => f.slice(0, -5));

const load = (name) => readFileSync(join(testdata, `${name}.webm`));

/** What a file is found to hold; the elements as the command line has them. */
async function inspected(chunks, options) {
  const lines = [];
  const headers = [];
  const found = await inspect(chunks, {
    onElements: (elements) => lines.push(...elements.map(line)),
    onHeader: (header) => headers.push(header),
    ...options,
  });
  return { ...found, lines, headers };
}

function line(element) {
  const value = elementValue(element);
  const size = element.size < 0 ? "size unknown" : `size ${element.size}`;
  return `${"  ".repeat(element.level)}${element.name} at ${element.offset}, ${size}${value && `: ${value}`}`;
}

describe("inspect", () => {
  for (const name of names) {
    if (name === "chromium-23-stop-immediately") continue; // has no bytes
    test(`lists the elements of ${name} as the command line does, from the file and from the recorder's chunks`, async () => {
      const bytes = load(name);
      const want = execFileSync(process.execPath, [cli, "info", join(testdata, `${name}.webm`)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      const { lines, elements, report, problems, headers } = await inspected(new Blob([bytes]));
      assert.equal(`${lines.join("\n")}\n`, want);
      assert.equal(elements, lines.length);
      assert.equal(report.bytes, bytes.length);
      assert.deepEqual([report.error, problems], [null, []]);
      assert.deepEqual(headers.map((h) => h.start), report.recordings.map((r) => r.header.start));

      let at = 0;
      const { chunks } = JSON.parse(readFileSync(join(testdata, `${name}.json`)));
      const blobs = chunks.map((length) => new Blob([bytes.subarray(at, (at += length))]));
      assert.deepEqual((await inspected(blobs)).lines, lines);
    });
  }

  test("goes on after damage where the recording does", async () => {
    const bytes = load("chromium-noalpha-03-vp8opus-ts250");
    const whole = await inspected(new Blob([bytes]));
    const damaged = bytes.slice();
    const clusters = whole.lines.filter((l) => l.startsWith("  Cluster")).map((l) => Number(l.match(/ at (\d+)/)[1]));
    damaged.fill(0, clusters[2] + 500, clusters[2] + 3000);
    const { lines, report } = await inspected(new Blob([damaged]));
    const [drop] = report.dropped;
    assert.equal(report.dropped.length, 1);
    assert.ok(drop.start > clusters[2] && drop.end === clusters[3]);
    const beside = (all) => all.filter((l) => {
      const at = Number(l.match(/ at (\d+)/)[1]);
      return at < drop.start || at >= drop.end;
    });
    assert.deepEqual(beside(lines), beside(whole.lines));
  });

  test("lists clusters whose header is lost", async () => {
    const bytes = load("firefox-06-vp8only-ts100");
    const whole = await inspected(new Blob([bytes]));
    const cluster = Number(whole.lines.find((l) => l.startsWith("  Cluster")).match(/ at (\d+)/)[1]);
    const { lines, report } = await inspected(new Blob([bytes.subarray(cluster)]));
    assert.equal(report.error.code, "missing");
    const moved = whole.lines.map((l) => l.replace(/ at (\d+)/, (_, at) => ` at ${at - cluster}`));
    assert.deepEqual(lines, moved.slice(-lines.length));
    assert.match(lines[0], /^ {2}Cluster at 0, /);
  });

  test("goes on with the next recording after one that is cut short", async () => {
    const bytes = load("firefox-10b-two-recordings");
    const cut = bytes.subarray(0, bytes.length - 1000);
    const { lines, report } = await inspected([new Blob([cut]), new Blob([bytes])]);
    assert.equal(report.recordings.length, 2);
    const after = lines.slice(lines.findIndex((l) => l.startsWith(`EBML at ${cut.length},`)));
    const { lines: want } = await inspected(new Blob([bytes]));
    assert.deepEqual(after, want.map((l) => l.replace(/ at (\d+)/, (_, at) => ` at ${Number(at) + cut.length}`)));
  });

  for (const [name, bytes, code, message] of [
    ["nothing", Buffer.alloc(0), "empty", /is empty/],
    ["an MP4 file", Buffer.from("\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41", "latin1"), "not-webm", /is MP4/],
    ["megabytes that are no WebM", Buffer.alloc(5 << 20, 7), "not-webm", /begins with 07 07 07 07/],
    ["the first byte of a recording", Buffer.of(0x1a), "truncated", /ends inside the ID/],
  ]) {
    test(`says what is wrong with ${name}`, async () => {
      const { lines, report } = await inspected(new Blob([bytes]));
      assert.deepEqual(lines, []);
      assert.equal(report.error.code, code);
      assert.match(report.error.message, message);
    });
  }

  test("survives any byte that is wrong", async () => {
    const bytes = load("firefox-23-stop-immediately");
    for (let i = 0; i < bytes.length; i++) {
      for (const value of [0x00, 0xff, bytes[i] ^ 0x10]) {
        const wrong = bytes.slice();
        wrong[i] = value;
        const { report, lines } = await inspected(new Blob([wrong]));
        assert.equal(report.bytes, bytes.length);
        const offsets = lines.map((l) => Number(l.match(/ at (\d+)/)[1]));
        assert.ok(offsets.every((at, i) => i === 0 || at > offsets[i - 1]), `byte ${i} as ${value}: ${offsets}`);
      }
    }
  });

  test("ends when it is told to, and what it has found is known", async () => {
    const bytes = load("chromium-noalpha-03-vp8opus-ts250");
    const blob = new Blob(Array(20).fill(bytes));
    const control = new AbortController();
    const reason = new Error("enough");
    const found = [];
    const progress = [];
    const inspecting = inspect(blob, {
      signal: control.signal,
      onElements: (elements) => found.push(...elements),
      onProgress: (done) => {
        progress.push(done);
        if (done > 0.3) control.abort(reason);
      },
    });
    await assert.rejects(inspecting, reason);
    assert.equal(found[0].name, "EBML");
    assert.ok(found.length > 100 && progress.at(-1) < 0.5, `${found.length} elements at ${progress.at(-1)}`);
    await assert.rejects(inspect(blob, { signal: control.signal }), reason);
  });

  test("says so when a file can no longer be read", async () => {
    const bytes = load("chromium-noalpha-03-vp8opus-ts250");
    const blob = new Blob([bytes, bytes]);
    const slice = blob.slice.bind(blob);
    blob.slice = (start, end) => (start < 1 << 20 ? slice(start, end) : { arrayBuffer: async () => { throw new Error("it is gone") } });
    const found = [];
    await assert.rejects(
      inspect(blob, { onElements: (elements) => found.push(...elements) }),
      (e) => e instanceof WebmendError && e.code === "read" && e.offset === 1 << 20 && /could not be read: Error: it is gone/.test(e.message),
    );
    assert.ok(found.length > 100);
  });

  test("says so when the module cannot be loaded", async () => {
    await assert.rejects(inspect(new Blob(["x"]), { wasm: new Uint8Array(8) }), (e) => e instanceof WebmendError && e.code === "load");
  });
});
