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
      files.push(await content(await recording.seekable({ recording: i })));
      const write = async ({ number, blob }) => void files.push(number, await content(blob));
      await recording.parts({ recording: i, size: 100_000 }).pipeTo(new WritableStream({ write }));
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
      if (i % 2 === 0) assert.equal(rest.files[0], await content(await whole.seekable({ recording: 0 })));
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
        return { report, clusters, file: options.keep && (await content(await recording.seekable({ recording: 1 }))) };
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

  test("bytes with which it traps again are an error, once, and what came before them stays", async () => {
    const bytes = streams["clusters of unknown size"];
    const half = bytes.length >> 1;
    for (const keep of [true, false]) {
      await init({ wasm: trapAt(0) });
      const [recording, other] = [new Recording({ keep }), await record(bytes, { keep })];
      await recording.pushChunk(bytes.subarray(0, half));
      const before = recording.report;
      await assert.rejects(recording.pushChunk(Buffer.concat([bytes.subarray(half, half + 100), trapBytes])), isTrap);
      await assert.rejects(recording.pushChunk(bytes.subarray(half)), isTrap);
      await assert.rejects(recording.finish(), isTrap);
      assert.equal(recording.takeClusters().length, before.recordings[0].clusters);
      if (keep) assert.equal((await repair(await recording.seekable())).report.recordings[0].duration, before.recordings[0].duration);
      assert.ok((await recording.initializationSegment()).size > 100);

      // One that had the same instance of the module, and did it no harm.
      assert.deepEqual((await other.finish()).dropped, []);
      assert.equal(other.takeClusters().at(-1).end, bytes.length);
    }
    await assert.rejects(repair(new Blob([bytes.subarray(0, half), trapBytes])), isTrap);
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

function isTrap(error) {
  assert.ok(error instanceof WebmendError);
  assert.equal(error.code, "trap");
  assert.match(error.message, /^webmend: a bug in the module: .*told to trap/);
  return true;
}
