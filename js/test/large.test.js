// A chunk that is larger than what is read at once: nothing that comes of it tells that it was
// read in pieces, and no more of it is in memory than one of them and what is kept.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { init, Recording, repair } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const load = (name) => readFileSync(`${testdata}${name}.webm`);

/** How much is read at once. */
const piece = 4 << 20;

/** A Void element of some length. */
function padding(length) {
  const element = Buffer.alloc(length);
  element[0] = 0xec;
  element.writeBigUInt64BE((1n << 56n) + BigInt(length - 9), 1);
  return element;
}

/** Recordings in a row, of which one stands still just where the first piece ends: the block after that begins the second. */
const gap = 15190;
const first = Buffer.concat(["chromium-noalpha-03-vp8opus-ts250", "firefox-06-vp8only-ts100", "firefox-08-pause-vp8opus-ts500", "chromium-10a-requestdata"].map(load));
const bytes = Buffer.concat([
  first,
  padding(piece - gap - first.length),
  load("cases/stalled-recorder"),
  ...["chromium-36-late-requestdata", "firefox-08-pause-vp8opus-ts500", "chromium-07-vp8opus-nots", "chromium-noalpha-03-vp8opus-ts250", "firefox-06-vp8only-ts100", "chromium-05a-av1opus"].map(load),
]);

const digest = (data) => createHash("sha1").update(data).digest("hex");

/** All that comes of a stream that is pushed as these chunks. */
async function everything(chunks, { keep }) {
  const recording = new Recording({ keep });
  const clusters = [];
  for (const chunk of chunks) {
    await recording.pushChunk(chunk);
    clusters.push(...recording.takeClusters());
  }
  const report = await recording.finish();
  clusters.push(...recording.takeClusters());
  const files = [];
  if (keep) for (const i of report.recordings.keys()) files.push(digest(await (await recording.seekable({ recordingIndex: i })).bytes()));
  return { report, clusters: await Promise.all(clusters.map(facts)), files };
}

const facts = async (cluster) => ({ ...cluster, bytes: digest(await cluster.bytes()) });

function cut(length, end = bytes.length) {
  const chunks = [];
  for (let at = 0; at < end; at += length) chunks.push(bytes.subarray(at, Math.min(at + length, end)));
  return chunks;
}

/** What is known but for whether chunks begin at gaps. */
const anywhere = ({ report, ...others }) => ({ ...others, report: { ...report, gaps: report.gaps.map((g) => ({ ...g, boundary: null })) } });

/** A Blob that is read as `read` says, which is given where each slice begins, how long it is, and its bytes. */
class Read extends Blob {
  #start;
  #read;
  constructor(data, read, start = 0) {
    super([data]);
    this.#read = read;
    this.#start = start;
  }
  slice(start = 0, end = this.size) {
    return new Read(super.slice(start, end), this.#read, this.#start + start);
  }
  arrayBuffer() {
    return this.#read(this.#start, this.size, super.arrayBuffer());
  }
}

inBoth((worker) => {
  for (const keep of [true, false]) {
    test(`what comes of it is what comes of small ones, with keep: ${keep}`, async () => {
      const want = await everything(cut(300_000), { keep });
      for (const chunk of [new Blob([bytes]), new Uint8Array(bytes)]) {
        const got = await everything([chunk], { keep });
        assert.deepEqual(anywhere(got), anywhere(want));
        assert.deepEqual(got.report.gaps.find((g) => g.offset === piece)?.boundary, false, "no chunk begins there");
      }
      const halves = await everything([bytes.subarray(0, piece), bytes.subarray(piece)], { keep });
      assert.deepEqual(halves.report.gaps.find((g) => g.offset === piece)?.boundary, true);
    });
  }

  test("the report is that of the file", async () => {
    const { report } = await everything([new Blob([bytes])], { keep: false });
    assert.deepEqual(report, (await repair(new Blob([bytes]))).report);
  });

  // Threads take their Blobs apart as they are, and read them.
  if (!worker)
    for (const keep of [true, false]) {
      test(`it is read in pieces, each once what came before is split, with keep: ${keep}`, async () => {
        const reads = [];
        const recording = new Recording({ keep });
        let taken = 0;
        const read = (start, size, data) => {
          reads.push([start, size]);
          assert.equal(recording.report.bytes, start);
          const clusters = recording.takeClusters();
          taken += clusters.length;
          assert.equal(clusters.length > 0, start > 0, "what was split is there");
          return data;
        };
        await recording.pushChunk(new Read(bytes, read));
        const { recordings } = await recording.finish();
        taken += recording.takeClusters().length;
        assert.deepEqual(reads, [[0, piece], [piece, piece], [2 * piece, bytes.length - 2 * piece]]);
        assert.equal(taken, recordings.reduce((n, r) => n + r.clusters, 0));
      });

      test(`a piece that cannot be read is left out, and the others are not, with keep: ${keep}`, async () => {
        const { clusters: want } = await everything([bytes], { keep });
        const recording = new Recording({ keep });
        const gone = (start, size, data) => (start === piece ? Promise.reject(new DOMException("it is gone", "NotReadableError")) : data);
        await assert.rejects(recording.pushChunk(new Read(bytes, gone)), { code: "read", offset: piece, message: /the chunk at 4194304 could not be read: .*it is gone/ });
        const report = await recording.finish();
        assert.deepEqual([report.bytes, report.error], [bytes.length, null]);
        const drop = report.dropped.find((d) => d.reason.code === "read");
        assert.ok(drop.start <= piece && 2 * piece <= drop.end, `it is from ${drop.start} to ${drop.end}`);
        const clusters = await Promise.all(recording.takeClusters().map(facts));
        const isThere = ({ start, end }) => clusters.some((c) => c.start === start && c.end === end);
        const whole = want.filter(({ start, end }) => end <= piece || start >= drop.end);
        assert.ok(whole.some((c) => c.start > piece));
        assert.deepEqual(whole.filter((c) => !isThere(c)), []);
      });
    }

  const trapping = readFileSync(new URL("../dist/webmend.trap.wasm", import.meta.url));

  /** The module that traps at its nth call, and at some bytes. */
  function trapAt(n) {
    const module = Buffer.from(trapping);
    module.write(String(n).padStart(8, "0"), module.indexOf("trap at call ") + 13);
    return module;
  }

  for (const keep of [true, false]) {
    test(`nothing is lost when the module traps in the midst of it, with keep: ${keep}`, async () => {
      // It takes more calls until then than scanning again does, as what comes first is pushed in small chunks.
      const small = cut(1000, 100_000);
      const large = bytes.subarray(100_000);
      const want = await everything([...small, large], { keep });
      await init({ wasm: trapAt(small.length + 64 + 30) });
      try {
        assert.deepEqual(anywhere(await everything([...small, new Blob([large])], { keep })), anywhere(want));
      } finally {
        await init({ wasm: new URL("../dist/webmend.wasm", import.meta.url) });
      }
    });

    test(`of what the module traps with again no more is left out than a piece, with keep: ${keep}`, async () => {
      const { clusters: want } = await everything([bytes], { keep });
      const bad = Buffer.from(bytes);
      bad.write("trap at these bytes", piece + 2_000_000);
      await init({ wasm: trapAt(0) });
      try {
        const recording = new Recording({ keep });
        await assert.rejects(recording.pushChunk(new Blob([bad])), { code: "trap", offset: piece, message: /4194304 to 8388608 are left out/ });
        const report = await recording.finish();
        assert.equal(report.bytes, bytes.length);
        const clusters = await Promise.all(recording.takeClusters().map(facts));
        const [drop] = report.dropped;
        const whole = want.filter(({ start, end }) => end <= piece || start >= drop.end);
        assert.ok(whole.some((c) => c.start > piece));
        for (const cluster of whole) assert.equal(clusters.find((c) => c.start === cluster.start)?.bytes, cluster.bytes);
      } finally {
        await init({ wasm: new URL("../dist/webmend.wasm", import.meta.url) });
      }
    });
  }
});
