// A module that traps in the midst of a recording, as a bug would have it, loses
// nothing: what comes of the recording is what comes of it without.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { init, join, Recording, repair, WebmendError } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const sound = readFileSync(new URL("../dist/webmend.wasm", import.meta.url));
const trapping = readFileSync(new URL("../dist/webmend.trap.wasm", import.meta.url));
const trapBytes = Buffer.from("trap at these bytes");

/** The module whose every instance traps at its nth push, which must be more than scanning again takes; 0 is none. */
function trapAt(n) {
  const module = Buffer.from(trapping);
  const text = "trap at call ";
  assert.equal(module.indexOf(text), module.lastIndexOf(text));
  module.write(String(n).padStart(8, "0"), module.indexOf(text) + text.length);
  return module;
}

const load = (name) => readFileSync(`${testdata}${name}.webm`);
const content = async (blob) => `${blob.size} ${createHash("sha1").update(new Uint8Array(await blob.arrayBuffer())).digest("hex")}`;

/** All that comes of a stream in pieces of some length: what it says, and its bytes. */
async function everything(bytes, { keep, length, partial }) {
  const recording = new Recording({ keep });
  const taken = [];
  for (let at = 0; at < bytes.length; at += length) {
    await recording.pushChunk(new Blob([bytes.subarray(at, at + length)]));
    taken.push(...recording.takeClusters({ partial }));
  }
  const during = recording.report;
  const report = await recording.finish();
  taken.push(...recording.takeClusters());
  const headers = [];
  for (let header; (header = recording.takeHeader()); ) headers.push({ ...header, bytes: await content(header.blob()) });
  const files = [];
  if (keep) {
    for (const i of report.recordings.keys()) {
      files.push(await content(await recording.seekable({ recordingIndex: i })));
      const write = async ({ number, blob }) => void files.push(number, await content(blob));
      await recording.parts({ recordingIndex: i, size: 100_000 }).pipeTo(new WritableStream({ write }));
    }
    files.push(await content((await recording.clip({ start: 1, end: 2 })).blob));
  }
  for (const c of [taken[0], taken.at(-1)]) files.push(await content(await c.standalone({ fromZero: true })));
  return { during, report, headers, clusters: await Promise.all(taken.map(facts)), files };
}

const facts = async (cluster) => ({ ...cluster, bytes: await content(cluster.blob()), sized: await content(cluster.sized()) });

const streams = {
  "clusters of unknown size": load("chromium-noalpha-03-vp8opus-ts250"),
  "clusters that are edited": load("firefox-08-pause-vp8opus-ts500"),
  "clusters of known and of unknown size": load("chromium-36-late-requestdata"),
  "two recordings": load("firefox-24-same-recorder-restart"),
  "two recordings, the first of a known size": Buffer.concat([load("chromium-07-vp8opus-nots"), load("chromium-08-pause-vp8opus-ts500")]),
  "clusters of 30 seconds": load("chromium-26-long-audio-nots-75s"),
  "many small clusters": load("chromium-01-opus-ts50"),
  "what is damaged in three places": damage(load("firefox-08-pause-vp8opus-ts500")),
  "elements that claim more than their own": overstate(load("firefox-08-pause-vp8opus-ts500")),
  "what is cut short": load("chromium-08-pause-vp8opus-ts500").subarray(0, 200_000),
  "a recorder that stood still": load("cases/stalled-recorder"),
  // Of this, one that does not keep it has the beginning no more.
  "many recordings, some damaged": Buffer.concat([
    load("chromium-07-vp8opus-nots"),
    damage(load("firefox-08-pause-vp8opus-ts500")),
    load("chromium-noalpha-03-vp8opus-ts250"),
    damage(load("chromium-36-late-requestdata")),
    load("firefox-15b-endaudio"),
  ]),
};

function damage(bytes) {
  const damaged = Buffer.from(bytes);
  const at = (part) => Math.floor(part * bytes.length);
  for (const part of [0.2, 0.5, 0.8]) damaged.fill(0, at(part), at(part) + 2000);
  return Buffer.concat([damaged.subarray(0, at(0.6)), damaged.subarray(at(0.65))]); // and a hole
}

/** In the second and fifth cluster, the second block says that it has 192 KiB. */
function overstate(bytes) {
  const damaged = Buffer.from(bytes);
  const clusters = [];
  for (let at = -1; (at = bytes.indexOf("1f43b675", at + 1, "hex")) >= 0; ) clusters.push(at);
  for (const cluster of [clusters[1], clusters[4]]) {
    const first = bytes.indexOf(0xa3, cluster + 12);
    const second = first + 5 + (bytes.readUInt32BE(first + 1) & 0x0fffffff);
    assert.equal(damaged[second], 0xa3);
    damaged.writeUInt32BE(0x10030000, second + 1);
  }
  return damaged;
}

/** Pushes a stream in 150 pieces. */
async function record(bytes, options) {
  const recording = new Recording(options);
  const length = Math.ceil(bytes.length / 150);
  for (let at = 0; at < bytes.length; at += length) await recording.pushChunk(bytes.subarray(at, at + length));
  return recording;
}

inBoth((worker) => {
  after(() => init({ wasm: sound }));

  const all = Object.entries(streams);
  const some = worker ? all.filter(([name]) => name.startsWith("many") || name.includes("edited")) : all;

  for (const [name, bytes] of some) {
    for (const keep of [true, false]) {
      test(`nothing is lost of a stream of ${name}${keep ? "" : ", with keep: false"}`, async () => {
        const options = { keep, length: Math.ceil(bytes.length / 150) };
        await init({ wasm: sound });
        const want = await everything(bytes, options);
        for (const n of bytes.length > 2e6 ? [110, 111] : worker ? [64] : [60, 97]) {
          await init({ wasm: trapAt(n) });
          assert.deepEqual(await everything(bytes, options), want, `trap at call ${n}`);
        }
      });
    }
  }

  test("fragments have every block once", async () => {
    for (const [i, [, bytes]] of some.entries()) {
      await init({ wasm: sound });
      const whole = await record(bytes);
      const report = await whole.finish();
      await init({ wasm: trapAt(110) });
      const { clusters, ...rest } = await everything(bytes, { keep: i % 2 === 0, length: Math.ceil(bytes.length / 150), partial: true });
      assert.deepEqual(rest.report, report);
      if (i % 2 === 0) assert.equal(rest.files[0], await content(await whole.seekable({ recordingIndex: 0 })));
      assert.ok(clusters.some((c) => c.fragment));
      const blocks = (list) => list.reduce((n, c) => n + c.blocks, 0);
      assert.equal(blocks(clusters), blocks(whole.takeClusters()));
      for (const [i, c] of clusters.entries()) assert.ok(i === 0 || c.start >= clusters[i - 1].end);
    }
  });

  test("what never came is missing as it is without traps", async () => {
    const bytes = streams["many recordings, some damaged"];
    const length = Math.ceil(bytes.length / 150);
    const lost = [30, 61, 62, 120];
    for (const options of [{ keep: true }, { keep: false }, { keep: true, header: bytes.subarray(0, 325) }]) {
      const recorded = async () => {
        const recording = new Recording({ ...options, limits: { waitingChunks: 150 } });
        for (let i = 0; i < 150; i++) if (!lost.includes(i)) await recording.pushChunk(bytes.subarray(i * length, (i + 1) * length), { sequence: i });
        const report = await recording.finish();
        const clusters = await Promise.all(recording.takeClusters().map(facts));
        return { report, clusters, file: options.keep && (await content(await recording.seekable({ recordingIndex: 1 }))) };
      };
      await init({ wasm: sound });
      const want = await recorded();
      assert.equal(want.report.missing.length, 3);
      for (const n of [105, 111]) {
        await init({ wasm: trapAt(n) });
        assert.deepEqual(await recorded(), want, `trap at call ${n}`);
      }
    }
  });

  test("files are made though the module traps meanwhile", async () => {
    const bytes = streams["clusters of unknown size"];
    await init({ wasm: sound });
    const { blob } = await (await record(bytes)).clip({ start: 1, end: 2 });
    await init({ wasm: trapAt(151) });
    const recording = await record(bytes);
    assert.equal(await content((await recording.clip({ start: 1, end: 2 })).blob), await content(blob));
  });

  test("a file is scanned again", async () => {
    const file = new Blob([streams["clusters that are edited"]]);
    await init({ wasm: sound });
    const [repaired, joined] = [await content((await repair(file)).blob), await content((await join([file, file])).blob)];
    for (const n of [3, 20]) {
      for (const make of [repair, (f, options) => join([f, f], options)]) {
        await init({ wasm: trapAt(n) });
        await assert.rejects(make(file), { code: "trap" });
        const onProgress = () => init({ wasm: sound }); // which the second try gets
        const { blob } = await make(file, { onProgress });
        assert.equal(await content(blob), make === repair ? repaired : joined);
        await init({ wasm: sound });
      }
    }
  });

  test("a chunk with which it traps again is left out, and the recording goes on with the next", async () => {
    const bytes = streams["clusters that are edited"];
    const length = Math.ceil(bytes.length / 40);
    await init({ wasm: sound });
    const { report, clusters: want } = await everything(bytes, { keep: false, length });
    for (const keep of [true, false]) {
      for (const bad of [[1], [20], [39], [10, 11, 30], [15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]]) {
        await init({ wasm: trapAt(0) });
        const recording = new Recording({ keep });
        const other = await record(bytes, { keep });
        for (let i = 0; i < 40; i++) {
          const chunk = Buffer.from(bytes.subarray(i * length, (i + 1) * length));
          if (bad.includes(i)) chunk.set(trapBytes, 100);
          const pushed = recording.pushChunk(i % 2 ? chunk : new Blob([chunk]));
          if (!bad.includes(i)) await pushed;
          else await assert.rejects(pushed, (error) => isTrap(error) && error.offset === i * length && error.message.includes(`${i * length} to ${i * length + chunk.length} are left out`));
        }
        const got = await recording.finish();
        assert.equal(got.bytes, bytes.length);
        const clusters = await Promise.all(recording.takeClusters().map(facts));
        accounts(got, clusters);
        for (const i of bad) {
          const reason = got.dropped.find((d) => d.start <= i * length && d.end >= Math.min(bytes.length, (i + 1) * length))?.reason;
          assert.equal(reason?.code, "trap", `${i} of ${bad}: ${JSON.stringify(got.dropped)}`);
          assert.ok(reason.message.includes(`${i * length} to`));
        }
        const isWhole = ({ start, end }) => bad.every((i) => end <= i * length || start >= (i + 1) * length);
        const whole = want.filter(isWhole);
        assert.ok(whole.length > 0);
        for (const cluster of whole) {
          const found = clusters.find((c) => c.start === cluster.start);
          assert.deepEqual({ ...found, cut: false, sequence: 0 }, { ...cluster, cut: false, sequence: 0 });
        }
        if (keep) assert.equal((await repair(await recording.seekable())).report.recordings[0].duration, got.recordings[0].duration);

        // One that had the same instance of the module, and did it no harm.
        assert.deepEqual(await other.finish(), report);
      }
    }
    await init({ wasm: trapAt(0) });
    await assert.rejects(repair(new Blob([bytes.subarray(0, length), trapBytes])), isTrap);
  });

  test("where every chunk from one on traps, what came before is there", async () => {
    const bytes = streams["clusters of unknown size"];
    const length = Math.ceil(bytes.length / 40);
    for (const keep of [true, false]) {
      await init({ wasm: sound });
      const half = new Recording({ keep });
      await half.pushChunk(bytes.subarray(0, 20 * length));
      const want = await half.finish();
      await init({ wasm: trapAt(0) });
      const recording = new Recording({ keep });
      for (let i = 0; i < 40; i++) {
        const chunk = Buffer.from(bytes.subarray(i * length, (i + 1) * length));
        if (i >= 20) chunk.set(trapBytes, 100);
        const pushed = recording.pushChunk(chunk);
        if (i < 20) await pushed;
        else await assert.rejects(pushed, isTrap);
      }
      const report = await recording.finish();
      assert.deepEqual([report.bytes, report.recordings], [bytes.length, want.recordings]);
      const clusters = recording.takeClusters();
      accounts(report, clusters);
      assert.equal(report.dropped.at(-1).reason.code, "trap");
      const files = keep ? [await content(await recording.seekable()), await content(await half.seekable())] : [];
      assert.equal(files[0], files[1]);
    }
  });

  test("should it trap whenever it is to finish, all that was pushed is there, and the report says so", async () => {
    for (const [name, bytes] of some) {
      for (const keep of [true, false]) {
        await init({ wasm: sound });
        const sane = await record(bytes, { keep });
        const want = await sane.finish();
        const module = trapAt(0);
        module.write("1", module.indexOf("trap at finish 0") + 15);
        await init({ wasm: module });
        const recording = await record(bytes, { keep });
        const report = await recording.finish();
        assert.equal(report.dropped.at(-1).reason.code, "trap", name);
        assert.match(report.dropped.at(-1).reason.message, /the stream ends as far as it is known/);
        assert.deepEqual(report.recordings.map((r) => [r.clusters, r.duration]), want.recordings.map((r) => [r.clusters, r.duration]));
        const blocks = (r) => r.takeClusters().reduce((n, c) => n + c.blocks, 0);
        assert.equal(blocks(recording), blocks(sane));
        if (keep) assert.equal(await content(await recording.seekable()), await content(await sane.seekable()));
      }
    }
  });

  test("should it trap whenever it is asked for fragments, clusters come whole", async () => {
    const [[, bytes]] = some;
    await init({ wasm: sound });
    const options = { keep: true, length: Math.ceil(bytes.length / 150) };
    const want = await everything(bytes, options);
    const module = trapAt(0);
    module.write("1", module.indexOf("trap at fragments 0") + 18);
    await init({ wasm: module });
    assert.deepEqual(await everything(bytes, { ...options, partial: true }), want);
  });

  test("one that traps again whatever is left out gives what it had told, and says why there is no more", async () => {
    const bytes = streams["clusters of unknown size"];
    const length = Math.ceil(bytes.length / 40);
    for (const keep of [true, false]) {
      await init({ wasm: trapAt(5) }); // scanning again takes as many calls
      const recording = new Recording({ keep });
      const pushed = [];
      for (let i = 0; i < 40; i++) pushed.push(recording.pushChunk(bytes.subarray(i * length, (i + 1) * length)));
      const results = await Promise.allSettled(pushed);
      const accepted = results.findIndex((r) => r.status === "rejected");
      assert.equal(accepted, 4);
      for (const { reason } of results.slice(accepted)) isTrap(reason);
      const report = await recording.finish();
      isTrap(new WebmendError(report.error));

      await init({ wasm: sound });
      const half = new Recording();
      await half.pushChunk(bytes.subarray(0, accepted * length));
      const clusters = recording.takeClusters();
      assert.deepEqual(clusters.map((c) => c.start), half.takeClusters().map((c) => c.start));
      assert.ok(clusters.length > 2);
      if (keep) assert.equal((await repair(await recording.seekable())).report.recordings[0].duration, half.duration);
    }
  });

  if (!worker) {
    test("the module for these tests traps when it is told to, and the one that ships cannot", async () => {
      assert.ok(trapping.includes(trapBytes) && !sound.includes(trapBytes));
      const Instance = WebAssembly.Instance;
      let made = 0;
      WebAssembly.Instance = function (...args) {
        made++;
        return new Instance(...args);
      };
      await init({ wasm: trapAt(70) });
      await (await record(streams["clusters of unknown size"])).finish();
      WebAssembly.Instance = Instance;
      assert.equal(made, 3); // 150 calls and those of scanning again
    });
  }
});

/** Every byte is in a header, a cluster, another element or a drop, and in one of them. */
function accounts({ bytes, recordings, other, dropped }, clusters) {
  const all = [...recordings.map((r) => r.header), ...clusters, ...other, ...dropped].sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  for (const { start, end } of all) {
    assert.equal(start, at, JSON.stringify(all.map((r) => [r.start, r.end])));
    at = end;
  }
  assert.equal(at, bytes);
}

function isTrap(error) {
  assert.ok(error instanceof WebmendError);
  assert.equal(error.code, "trap");
  assert.match(error.message, /^webmend: a bug in the module: .*told to trap/);
  return true;
}
