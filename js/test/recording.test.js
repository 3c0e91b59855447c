// Recording in Node, where a server receives the chunks.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { init, join as joinFiles, Recording, repair, WebmendError } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;

function load(name) {
  const bytes = readFileSync(join(testdata, `${name}.webm`));
  const { chunks } = JSON.parse(readFileSync(join(testdata, `${name}.json`)));
  let at = 0;
  return { bytes, chunks: chunks.map((length) => bytes.subarray(at, (at += length))) };
}

inBoth((worker) => {
  describe("a recording", () => {
    test("gives header and clusters as Blobs that put together are the stream", async () => {
      const { bytes, chunks } = load("chromium-noalpha-03-vp8opus-ts250");
      const recording = new Recording();
      const parts = [];
      let whileRecording = 0;
      for (const chunk of chunks) {
        await recording.pushChunk(new Blob([chunk]));
        const header = recording.takeHeader();
        if (header) parts.push(header.blob());
        for (const cluster of recording.takeClusters()) {
          parts.push(cluster.blob());
          whileRecording++;
        }
      }
      const report = await recording.finish();
      parts.push(...recording.takeClusters().map((c) => c.blob()));
      assert.ok(Buffer.from(await new Blob(parts).arrayBuffer()).equals(bytes));
      assert.equal(whileRecording, 42);
      assert.equal(parts[0].type, 'video/webm; codecs="vp8,opus"');
      assert.equal(report.recordings[0].clusters, 43);
      assert.deepEqual(report.dropped, []);
    });

    test("keeps the order of chunks that are pushed without waiting, of every kind", async () => {
      const { bytes, chunks } = load("firefox-01-opus-ts50");
      const recording = new Recording(); // the module may not have loaded yet
      const kinds = [
        (c) => new Blob([c]),
        (c) => c.buffer.slice(c.byteOffset, c.byteOffset + c.byteLength),
        (c) => new DataView(c.buffer, c.byteOffset, c.byteLength),
        (c) => c,
      ];
      assert.equal(recording.takeHeader(), null);
      chunks.forEach((chunk, i) => recording.pushChunk(kinds[i % kinds.length](chunk)));
      await recording.finish();
      const header = recording.takeHeader();
      assert.equal(recording.takeHeader(), null);
      const parts = [await header.bytes()];
      for (const cluster of recording.takeClusters()) parts.push(await cluster.bytes());
      assert.ok(Buffer.concat(parts).equals(bytes));
    });

    test("may have its buffers changed once they are pushed", async () => {
      const { bytes } = load("chromium-23b-stop-at-60ms");
      const recording = new Recording();
      const buffer = Uint8Array.from(bytes);
      recording.pushChunk(buffer);
      buffer.fill(0);
      const report = await recording.finish();
      assert.deepEqual(report.dropped, []);
      assert.equal(report.recordings[0].clusters, 1);
    });

    test("tells tracks, media type and duration as they become known", async () => {
      const { chunks } = load("chromium-05b-h264opus-webm");
      const recording = new Recording();
      assert.deepEqual([recording.tracks, recording.mimeType, recording.duration, recording.report.bytes], [[], "", 0, 0]);
      await recording.pushChunk(chunks[0]);
      assert.equal(recording.takeHeader().mimeType, 'video/x-matroska; codecs="avc1,opus"');
      assert.equal(recording.mimeType, 'video/x-matroska; codecs="avc1.42C01F,opus"');
      for (const chunk of chunks.slice(1)) recording.pushChunk(chunk);
      await recording.finish();
      assert.equal(recording.duration, 8.021);
      assert.deepEqual(recording.tracks.map((t) => [t.type, t.width ?? t.sampleRate]), [["video", 640], ["audio", 48000]]);
    });

    test("that is restarted gives another header, and clusters that say whose they are", async () => {
      const { chunks } = load("firefox-24-same-recorder-restart");
      const recording = new Recording();
      for (const chunk of chunks) recording.pushChunk(chunk);
      await recording.finish();
      assert.deepEqual([recording.takeHeader().recordingIndex, recording.takeHeader().recordingIndex, recording.takeHeader()], [0, 1, null]);
      assert.deepEqual(recording.takeClusters().map((c) => c.recordingIndex), [0, 0, 0, 1, 1, 1]);
    });

    test("says in its report what the end cut short", async () => {
      const { bytes } = load("chromium-08-pause-vp8opus-ts500");
      const recording = new Recording();
      await recording.pushChunk(bytes.subarray(0, 60000));
      const { dropped, error } = await recording.finish();
      assert.equal(error, null);
      assert.equal(dropped.length, 1);
      assert.equal(dropped[0].end, 60000);
      assert.equal(dropped[0].reason.code, "truncated");
      assert.equal(dropped[0].reason.offset, dropped[0].start);
      assert.match(dropped[0].reason.path, /^Segment\/Cluster\/\w+$/);
      assert.equal(recording.takeClusters().at(-1).end, dropped[0].start);
    });
  });

  describe("a recording that is damaged", () => {
    test("goes on at the next cluster, and says what is missing", async () => {
      const { bytes, chunks } = load("firefox-08-pause-vp8opus-ts500");
      const recording = new Recording();
      for (const [i, chunk] of chunks.entries()) await recording.pushChunk(i === 5 ? new Uint8Array(1000) : chunk);
      const { error, dropped, recordings } = await recording.finish();
      assert.equal(error, null);
      assert.deepEqual(dropped.map((d) => [d.reason.code, d.before.toFixed(1), d.after]), [["invalid-id", "2.6", 4.006]]);
      const clusters = recording.takeClusters();
      assert.equal(clusters.length, recordings[0].clusters);
      const last = clusters.at(-1);
      assert.ok(Buffer.from(await last.bytes()).equals(bytes.subarray(bytes.length - (last.end - last.start))));
      const { report } = await repair(await recording.seekable());
      assert.deepEqual(report.dropped, []);
      assert.equal(report.recordings[0].duration, recording.duration);
    });

    test("where an element claims what is not its own loses no more than that", async () => {
      const { bytes } = load("firefox-08-pause-vp8opus-ts500");
      const whole = new Recording();
      await whole.pushChunk(bytes);
      const clusters = whole.takeClusters();
      const first = bytes.indexOf(0xa3, clusters[1].start + 12); // its first SimpleBlock
      const claim = first + 5 + (bytes.readUInt32BE(first + 1) & 0x0fffffff);
      assert.equal(bytes[claim], 0xa3);
      const damaged = Buffer.from(bytes);
      damaged.writeUInt32BE(0x10030000, claim + 1); // 192 KiB, of three clusters
      for (const keep of [true, false]) {
        const recording = new Recording({ keep });
        for (let at = 0; at < damaged.length; at += 20_000) recording.pushChunk(damaged.subarray(at, at + 20_000));
        const { dropped } = await recording.finish();
        assert.equal(dropped.length, 1);
        assert.ok(dropped[0].start === claim && dropped[0].end <= clusters[2].start);
        const { end } = recording.takeClusters().at(-1);
        assert.equal(end, damaged.length);
      }
      assert.equal((await repair(new Blob([damaged]))).report.dropped.length, 1);
    });

  test("in its header has nothing to give", async () => {
      const { bytes } = load("firefox-08-pause-vp8opus-ts500");
      const recording = new Recording();
      await recording.pushChunk(Buffer.concat([bytes.subarray(0, 60), Buffer.alloc(100)])); // Tracks may yet come
      await assert.rejects(recording.finish(), { code: "invalid-id" });
    });
  });

  describe("the options of a recording", () => {
    const { bytes, chunks } = load("firefox-08-pause-vp8opus-ts500");
    const damaged = Buffer.from(bytes).fill(0, 300_000, 302_000);

    test("make damage final if it is strict", async () => {
      const recording = new Recording({ strict: true });
      await recording.pushChunk(damaged.subarray(0, 290_000));
      const before = recording.takeClusters().length;
      await assert.rejects(recording.pushChunk(damaged.subarray(290_000)), { code: "invalid-id" });
      const { error, dropped, recordings } = await recording.finish();
      assert.equal(error.code, "invalid-id");
      assert.equal(dropped[0].end, damaged.length);
      assert.equal(before + recording.takeClusters().length, recordings[0].clusters);
      assert.equal((await repair(await recording.seekable())).report.recordings[0].clusters, recordings[0].clusters);
    });

    test("bound what a stream may ask for", async () => {
      for (const [limits, error, dropped] of [
        [{ headerSize: 200 }, "too-large", 1],
        [{ tracks: 1 }, "too-large", 1],
        [{ clusterSize: 60_000 }, undefined, 7],
        [{ headerSize: 400, tracks: 2, clusterSize: 1 << 20 }, undefined, 0],
      ]) {
        const recording = new Recording({ limits });
        for (const chunk of chunks) recording.pushChunk(chunk);
        const report = await recording.finish().catch((error) => ({ error, dropped: recording.report.dropped }));
        assert.equal(report.error?.code, error);
        assert.equal(report.dropped.length, dropped);
      }
    });

    test("leave video in its files that cannot be decoded, if that is asked for", async () => {
      const numbered = new Recording();
      for (const [sequence, chunk] of chunks.entries()) if (sequence !== 5) numbered.pushChunk(chunk, { sequence });
      const recording = new Recording();
      recording.pushChunk(damaged);
      for (const { undecodable } of [await numbered.finish(), await recording.finish()]) {
        assert.ok(undecodable.length > 0);
        for (const { start, end, frames } of undecodable) assert.ok(frames > 0 && start < end);
      }
      const file = new Blob([damaged]);
      for (const make of [
        (options) => numbered.seekable(options),
        (options) => recording.seekable(options),
        async (options) => (await recording.clip({ start: 0, end: 100, ...options })).blob,
        async (options) => (await repair(file, options)).blob,
        async (options) => (await joinFiles([file, file], options)).blob,
      ]) {
        assert.deepEqual((await repair(await make({}))).report.dropped, []);
        assert.ok((await make({ keepUndecodable: true })).size > (await make({})).size + 1000);
      }
    });
  });

  // What is read in the page can be watched there.
  if (!worker) test("bytes are let go of, whether they are complete or of no use", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc");
    const { arrayBuffer } = Blob.prototype;
    const read = [];
    Blob.prototype.arrayBuffer = async function () {
      const bytes = await arrayBuffer.call(this);
      read.push(new WeakRef(bytes));
      return bytes;
    };
    const { bytes, chunks } = load("chromium-noalpha-03-vp8opus-ts250");
    for (const keep of [true, false]) {
      const recording = new Recording({ keep });
      const push = async (blob) => {
        await recording.pushChunk(blob);
        recording.takeClusters();
      };
      const held = async (most) => {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
        const sizes = read.map((r) => r.deref()?.byteLength ?? 0);
        assert.ok(sizes.length >= 50 && Math.max(...sizes) > 0);
        assert.ok(sizes.reduce((a, b) => a + b) <= most, `${sizes} bytes are held`);
        read.splice(0);
      };
      for (let i = 0; i < 3; i++) for (const chunk of chunks) await push(new Blob([chunk]));
      await held(6 << 20); // 4 MiB of it to find out what was pushed twice
      const junk = new Uint8Array(200_000).fill(1);
      for (let i = 0; i < 50; i++) await push(new Blob([junk]));
      await held(6 << 20);
      await push(new Blob([bytes]));
      await recording.finish();
      assert.deepEqual(recording.report.dropped.length, 1);
      assert.ok(recording.takeClusters().at(-1).end > 4 * bytes.length);
    }
    Blob.prototype.arrayBuffer = arrayBuffer;
  });

  describe("a chunk is refused", () => {
    const rejects = (promise, code, message) =>
      assert.rejects(promise, (error) => {
        assert.ok(error instanceof WebmendError && error instanceof Error);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });

    test("when it is MP4, with what to ask for", async () => {
      const recording = new Recording();
      await rejects(recording.pushChunk(new TextEncoder().encode("\0\0\0\x18ftypmp42....")), "not-webm", /MP4.*mimeType video\/webm/);
      await rejects(recording.finish(), "not-webm", /MP4/);
    });

    test("after finish", async () => {
      const recording = new Recording();
      recording.pushChunk(load("chromium-23b-stop-at-60ms").bytes);
      await recording.finish();
      await rejects(recording.pushChunk(new Uint8Array(1)), "finished", /the recording was finished/);
    });

    test("after close, and so is finish", async () => {
      const recording = new Recording();
      recording.close();
      await rejects(recording.pushChunk(new Uint8Array(1)), "finished", /./);
      await rejects(recording.finish(), "finished", /closed/);
    });

    test("when it is not bytes", async () => {
      await rejects(new Recording().pushChunk("text"), "invalid-argument", /a chunk must be a Blob/);
    });

    // A Blob in the page that fails is none in the worker.
    if (!worker) test("when its Blob cannot be read", async () => {
      const blob = new Blob(["x"]);
      blob.arrayBuffer = () => Promise.reject(new Error("gone"));
      const recording = new Recording();
      await rejects(recording.pushChunk(blob), "read", /the chunk at 0 could not be read: Error: gone/);
      await rejects(recording.finish(), "read", /gone/);
    });

    test("in silence, for those who look at finish alone", async () => {
      const recording = new Recording();
      recording.pushChunk(new Uint8Array(100)); // an unhandled rejection would end the test run
      await new Promise((resolve) => setImmediate(resolve));
      await rejects(recording.finish(), "not-webm", /begins with 00 00 00 00/);
    });
  });
});

test("a recording that is to be kept on disk warns that there is no storage, and goes on", async () => {
  const warnings = [];
  const recording = new Recording({ spool: { onWarning: (warning) => warnings.push(warning) } });
  const { bytes } = load("chromium-23b-stop-at-60ms");
  await recording.pushChunk(bytes);
  assert.equal((await recording.finish()).bytes, bytes.length);
  assert.ok((await recording.seekable()).size > 0);
  await recording.discard();
  assert.deepEqual(warnings.map((w) => [w instanceof WebmendError, w.code]), [[true, "spool"]]);
  assert.deepEqual(await Recording.recoverable(), []);
});

describe("the module", () => {
  const { bytes } = load("chromium-23b-stop-at-60ms");
  const works = async ({ Recording }) => {
    const recording = new Recording();
    recording.pushChunk(bytes);
    assert.equal((await recording.finish()).recordings.length, 1);
  };
  const module = readFileSync(new URL("../dist/webmend.wasm", import.meta.url));
  const missing = new URL("missing.wasm", import.meta.url);
  const fresh = (name) => import(`../dist/index.js?${name}`); // in which nothing has been loaded

  test("that cannot be loaded is an error that says where it was looked for, and can be given again", async () => {
    const webmend = await fresh("given again");
    await assert.rejects(webmend.init({ wasm: missing }), (error) => error.code === "load" && error.message.includes("missing.wasm"));
    await assert.rejects(new webmend.Recording().pushChunk(bytes), { code: "load" });
    await webmend.init({ wasm: module });
    await works(webmend);
  });

  test("that cannot be loaded leaves the one that was there before", async () => {
    const webmend = await fresh("left");
    await webmend.init();
    const failing = webmend.init({ wasm: missing });
    const meanwhile = works(webmend);
    await assert.rejects(failing, { code: "load" });
    await meanwhile;
    await works(webmend);
    const [first, second] = [webmend.init({ wasm: missing }), webmend.init({ wasm: module })];
    await assert.rejects(first, { code: "load" });
    await second;
    await works(webmend);
  });

  /** A module that exports a function, which returns a number. */
  const exporting = (name, number) =>
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...[1, 5, 1, 0x60, 0, 1, 0x7f], ...[3, 2, 1, 0], ...[7, name.length + 4, 1, name.length, ...Buffer.from(name), 0, 0], ...[10, 6, 1, 4, 0, 0x41, number, 0x0b]);
  const importing = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...[1, 4, 1, 0x60, 0, 0], ...[2, 7, 1, 1, 0x61, 1, 0x62, 0, 0]);
  for (const [what, wasm, says] of [
    ["another version", exporting("version", 63), /it is version 63, not version \d/],
    ["another program", exporting("main", 1), /it is another program, not version \d/],
    ["a program with other imports", importing, /"a"/],
    ["no module", new Uint8Array(10), /could not be loaded/],
  ]) {
    test(`of ${what} is told from one that has a bug`, async () => {
      for (const name of ["told", "told in a worker"]) {
        const webmend = await fresh(`${name}: ${what}`);
        await assert.rejects(webmend.init({ wasm, worker: name.endsWith("worker") }), ({ code, message }) => {
          assert.equal(code, "load");
          assert.match(message, says);
          if (wasm.length > 10) assert.match(message, /init\(\{ wasm \}\) takes this package's webmend.wasm/);
          return true;
        });
        await webmend.init({ wasm: module });
        await works(webmend);
      }
    });
  }

  test("is compiled from what is a module in another realm", async () => {
    const webmend = await fresh("realm");
    await webmend.init({ wasm: runInNewContext("new WebAssembly.Module(bytes)", { bytes: module }) });
    await works(webmend);
  });

  test("collects its garbage, again and again, while a long recording is split", async () => {
    const { bytes } = load("chromium-01-opus-ts50"); // a cluster every 2 KB
    const recording = new Recording();
    await recording.pushChunk(bytes);
    const first = recording.takeClusters();
    const again = bytes.subarray(first[0].start, first.at(-1).end);
    let count = first.length;
    for (let i = 0; i < 500; i++) {
      await recording.pushChunk(again);
      count += recording.takeClusters().length;
    }
    const { error, dropped } = await recording.finish();
    count += recording.takeClusters().length;
    assert.deepEqual([error, dropped, count], [null, [], 501 * first.length + 1]);
  });
});
