// What a recording relies on fails: at its start, in its middle, and for good. What its chunks
// say was taken is in the file that comes out, and what was not is in the report.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { after, before, describe, test } from "node:test";
import { init, Recording, repair, WebmendError } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const bytes = readFileSync(new URL("../../webm/testdata/firefox-08-pause-vp8opus-ts500.webm", import.meta.url));
const length = Math.ceil(bytes.length / 40);
const starts = Array.from({ length: 40 }, (_, i) => i * length);
const chunkAt = (start) => new Blob([bytes.subarray(start, start + length)]);

/** A Blob that cannot be read, as a file that was deleted. */
class Gone extends Blob {
  constructor(blob) {
    super([blob]);
  }
  arrayBuffer() {
    return Promise.reject(new DOMException("it is gone", "NotReadableError"));
  }
  slice(...range) {
    return new Gone(super.slice(...range));
  }
}

/** What is known of clusters that are whole. */
const known = ({ start, end, time, duration, blocks, keyframes }) => ({ start, end, time, duration, blocks, keyframes });

async function whole(options) {
  const recording = new Recording(options);
  for (const start of starts) await recording.pushChunk(chunkAt(start));
  await recording.finish();
  return { recording, clusters: recording.takeClusters() };
}

inBoth((worker) => {
  // Threads take their Blobs apart as they are, and read them.
  if (!worker)
    for (const keep of [true, false]) {
      for (const [when, gone] of Object.entries({ "at its start": [1], "in its middle": [20], "now and then": [7, 8, 21, 39], "for good": starts.map((_, i) => i).slice(20) })) {
        test(`a chunk that cannot be read ${when} is left out, and no other, with keep: ${keep}`, async () => {
          const { clusters: want } = await whole({ keep });
          const recording = new Recording({ keep });
          const results = await Promise.allSettled(starts.map((start, i) => recording.pushChunk(gone.includes(i) ? new Gone(chunkAt(start)) : chunkAt(start))));
          const report = await recording.finish();
          for (const [i, { status, reason }] of results.entries()) {
            assert.equal(status, gone.includes(i) ? "rejected" : "fulfilled");
            if (status === "fulfilled") continue;
            assert.ok(reason instanceof WebmendError);
            assert.deepEqual([reason.code, reason.offset], ["read", starts[i]]);
            const drop = report.dropped.find((d) => d.start <= starts[i] && Math.min(bytes.length, starts[i] + length) <= d.end);
            assert.equal(drop.reason.code, "read");
            assert.match(drop.reason.message, new RegExp(`the chunk at ${starts[i]} could not be read: .*it is gone`));
          }
          assert.deepEqual([report.bytes, report.error], [bytes.length, null]);
          const clusters = recording.takeClusters();
          const isWhole = ({ start, end }) => gone.every((i) => end <= starts[i] || starts[i] + length <= start);
          for (const cluster of want.filter(isWhole)) assert.deepEqual(known(clusters.find((c) => c.start === cluster.start)), known(cluster));
          if (keep) assert.equal((await repair(await recording.seekable())).report.recordings[0].duration, report.recordings[0].duration);
        });
      }
    }

  if (!worker)
    test("a numbered chunk that cannot be read keeps none from being taken that waited for it", async () => {
      const recording = new Recording();
      const pushed = [0, 2, 3, 4, 1, 5].map((i) => recording.pushChunk(i === 1 ? new Gone(chunkAt(starts[i])) : chunkAt(starts[i]), { sequence: i }));
      const results = await Promise.allSettled(pushed);
      assert.deepEqual(results.map((r) => r.reason?.code), [undefined, undefined, undefined, undefined, "read", undefined]);
      const { bytes, missing, dropped } = await recording.finish();
      assert.deepEqual([bytes, missing, dropped[0].reason.code], [6 * length, [], "read"]);
    });

  if (!worker)
    test("a recording whose header or first chunk cannot be read says so", async () => {
      const joined = new Recording({ header: new Gone(chunkAt(0)) });
      await assert.rejects(joined.pushChunk(chunkAt(length)), { code: "read" });
      await assert.rejects(joined.finish(), { code: "read" });
      const recording = new Recording();
      await assert.rejects(recording.pushChunk(new Gone(chunkAt(0))), { code: "read" });
      await recording.pushChunk(chunkAt(length));
      await assert.rejects(recording.finish(), { code: "read" });
      assert.equal(recording.report.dropped[0].reason.code, "read");
    });
});

describe("the script that scans again after a trap", () => {
  const folders = [];
  after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  /** The package as if loaded for the first time, without that script until `arrive` is called. */
  async function fresh() {
    const folder = mkdtempSync(pathOf(tmpdir(), "webmend-"));
    folders.push(folder);
    const dist = new URL("../dist/", import.meta.url).pathname;
    for (const name of readdirSync(dist)) if (/\.js$|^webmend.wasm$/.test(name) && name !== "midstream.js") cpSync(dist + name, pathOf(folder, name));
    const arrive = () => cpSync(dist + "midstream.js", pathOf(folder, "midstream.js"));
    return { arrive, ...(await import(pathOf(folder, "index.js"))) };
  }

  const trapping = readFileSync(new URL("../dist/webmend.trap.wasm", import.meta.url));
  trapping.write("00000080", trapping.indexOf("trap at call ") + 13); // more than scanning again takes
  const short = Math.ceil(bytes.length / 150);
  async function push(recording, from, to) {
    for (let i = from; i < to; i++) await recording.pushChunk(new Blob([bytes.subarray(i * short, (i + 1) * short)]));
  }
  let want;
  before(async () => (want = (await whole()).recording));

  for (const keep of [true, false]) {
    test(`is not needed as long as there is none, with keep: ${keep}`, async () => {
      const { Recording } = await fresh();
      const recording = new Recording({ keep });
      await push(recording, 0, 150);
      assert.deepEqual(await recording.finish(), want.report);
    });

    test(`may come later: until then chunks wait in the recording, with keep: ${keep}`, async () => {
      const { init, Recording, arrive } = await fresh();
      await init({ wasm: trapping });
      const recording = new Recording({ keep });
      await push(recording, 0, 79);
      const { clusters } = recording.report.recordings[0];
      await push(recording, 79, 140);
      assert.deepEqual([recording.report.bytes, recording.report.recordings[0].clusters], [140 * short, clusters]);
      arrive();
      await push(recording, 140, 150);
      assert.deepEqual(await recording.finish(), want.report);
      if (keep) assert.deepEqual(await (await recording.seekable()).bytes(), await (await want.seekable()).bytes());
    });
  }

  test("is what finish asks for, should it never come, and files after that", async () => {
    const { init, Recording, arrive } = await fresh();
    await init({ wasm: trapping });
    const recording = new Recording();
    await push(recording, 0, 150);
    const { error } = await recording.finish();
    assert.equal(error.code, "load");
    assert.match(error.message, /midstream.js could not be loaded/);
    await assert.rejects(recording.seekable(), { code: "load" });
    arrive();
    assert.deepEqual(await (await recording.seekable()).bytes(), await (await want.seekable()).bytes());
  });
});
