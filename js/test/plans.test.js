// What a page makes of a recording: files and segments, by its store, and from
// files that are there already. That their frames are right, wasmtest shows of the
// same plans in Go; here the bytes that come of both ways are compared.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join as path } from "node:path";
import { describe, test } from "node:test";
import { join, Recording, repair, WebmendError } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;

function load(name) {
  const bytes = readFileSync(path(testdata, `${name}.webm`));
  const { chunks } = JSON.parse(readFileSync(path(testdata, `${name}.json`)));
  let at = 0;
  return { bytes, chunks: chunks.map((length) => new Blob([bytes.subarray(at, (at += length))])) };
}

async function record(name, options) {
  const recording = new Recording(options);
  for (const chunk of load(name).chunks) recording.pushChunk(chunk);
  await recording.finish();
  return recording;
}

const content = async (blob) => Buffer.from(await blob.arrayBuffer());
const rejects = (promise, code) => assert.rejects(promise, (e) => e instanceof WebmendError && e.code === code && e.message.startsWith("webm"));

inBoth(() => {
  describe("a seekable file", () => {
    const names = readdirSync(testdata).filter((f) => f.endsWith(".webm")).map((f) => f.slice(0, -5));
    for (const name of names) {
      if (name === "chromium-23-stop-immediately") continue; // has no bytes
      test(`of ${name} is the same from the recorder's chunks and from the file`, async () => {
        const recording = await record(name);
        const all = recording.report.recordings;
        for (let i = 0; i < all.length; i++) {
          const { blob, report, end } = await repair(new Blob([load(name).bytes]), { recording: i });
          const seekable = await recording.seekable({ recording: i });
          assert.ok((await content(seekable)).equals(await content(blob)));
          assert.equal(seekable.type, all[i].mimeType.toLowerCase()); // as Blobs have it
          assert.equal(end, all[i].duration);
          assert.deepEqual(report, recording.report);
          assert.deepEqual((await repair(seekable)).report.dropped, []);
        }
      });
    }

    test("can be had while recording, and grows", async () => {
      const { chunks } = load("chromium-noalpha-03-vp8opus-ts250");
      const recording = new Recording();
      await rejects(recording.seekable(), "no-clusters");
      await recording.pushChunk(chunks[0]);
      await rejects(recording.seekable(), "no-clusters");
      for (const chunk of chunks.slice(1, 20)) recording.pushChunk(chunk);
      const half = await recording.seekable();
      assert.equal((await repair(half)).report.recordings[0].duration, recording.duration);
      for (const chunk of chunks.slice(20)) recording.pushChunk(chunk);
      await recording.finish();
      assert.ok((await recording.seekable()).size > 1.9 * half.size);
    });

    test("of a recording with keep: false cannot be had, but its initialization segment can", async () => {
      const recording = new Recording({ keep: false });
      await recording.pushChunk(new Blob([load("firefox-06-vp8only-ts100").bytes]));
      await rejects(recording.seekable(), "not-kept");
      assert.ok((await recording.initializationSegment()).size > 100);
      assert.equal(recording.takeClusters().length, 5);
    });

    test("cannot be had of what is closed", async () => {
      const recording = await record("chromium-23b-stop-at-60ms");
      recording.close();
      await rejects(recording.seekable(), "finished");
    });
  });

  describe("clusters and fragments", () => {
    for (const keep of [true, false]) {
      for (const waits of [true, false]) {
        test(`as recorded are the stream, though the store has them in another form, with keep: ${keep}${waits ? ", taken at the end" : ""}`, async () => {
          for (const name of ["firefox-08-pause-vp8opus-ts500", "chromium-36-late-requestdata"]) {
            const { bytes, chunks } = load(name);
            const recording = new Recording({ keep });
            const parts = [];
            for (const chunk of chunks) {
              await recording.pushChunk(chunk);
              if (!waits) parts.push(...recording.takeClusters());
            }
            const { other } = await recording.finish();
            parts.unshift(recording.takeHeader());
            parts.push(...recording.takeClusters());
            for (const part of parts) {
              const want = bytes.subarray(part.start, part.end);
              const copy = Buffer.from((await part.bytes()).buffer);
              assert.ok(copy.equals(want), `bytes of ${name} at ${part.start}`);
              copy.fill(0);
              assert.ok((await content(part.blob())).equals(want), `blob of ${name} at ${part.start}`);
            }
            assert.equal(parts.at(-1).end, other[0]?.start ?? bytes.length);
          }
        });
      }
    }

    test("that wait are held by the browser, and those that are taken as they come cost no Blob", async () => {
      const { bytes, chunks } = load("chromium-noalpha-03-vp8opus-ts250");
      const { Blob: Real } = globalThis;
      for (const waits of [true, false]) {
        const recording = new Recording({ keep: false });
        let held = 0; // bytes that became Blobs of the page
        globalThis.Blob = new Proxy(Real, {
          construct(target, [parts = [], options]) {
            for (const { byteLength = 0 } of parts) held += byteLength;
            return new target(parts, options);
          },
        });
        try {
          for (const chunk of chunks) {
            await recording.pushChunk(chunk);
            if (!waits) recording.takeClusters();
          }
        } finally {
          globalThis.Blob = Real;
        }
        assert.ok(waits ? held > 0.9 * bytes.length : held < 0.1 * bytes.length, `${held} of ${bytes.length}`);
        recording.close();
      }
    });

    test("sized, after the initialization segment, are the frames of the recording", async () => {
      for (const name of ["firefox-08-pause-vp8opus-ts500", "chromium-noalpha-03-vp8opus-ts250", "chromium-26-long-audio-nots-75s"]) {
        const recording = await record(name);
        const initialization = await recording.initializationSegment();
        const sized = new Blob([initialization, ...recording.takeClusters().map((c) => c.sized())]);
        const { report, blob } = await repair(sized);
        assert.equal(report.recordings[0].duration, recording.duration);
        assert.ok((await content(blob)).equals(await content(await recording.seekable())));
      }
    });

    test("taken with partial, after every chunk, have every block once", async () => {
      for (const name of ["chromium-26-long-audio-nots-75s", "firefox-06-vp8only-ts100", "chromium-noalpha-06-vp8only-ts100", "firefox-08-pause-vp8opus-ts500"]) {
        const { bytes } = load(name);
        const whole = await record(name);
        const recording = new Recording();
        const taken = [];
        for (let at = 0; at < bytes.length; at += 9000) {
          await recording.pushChunk(bytes.subarray(at, at + 9000));
          taken.push(...recording.takeClusters({ partial: true }));
        }
        await recording.finish();
        taken.push(...recording.takeClusters({ partial: true }));
        assert.ok(taken.filter((c) => c.fragment).length > 10);
        const blocks = (clusters) => clusters.reduce((n, c) => n + c.blocks, 0);
        assert.equal(blocks(taken), blocks(whole.takeClusters()));
        const initialization = await recording.initializationSegment();
        const { report } = await repair(new Blob([initialization, ...taken.map((c) => c.blob())]));
        assert.deepEqual(report.dropped, []);
        assert.equal(report.recordings[0].duration, recording.duration);
        assert.ok((await content(await recording.seekable())).equals(await content(await whole.seekable())), "the store has whole clusters");
      }
    });

    test("standalone are files, of their own times or from 0", async () => {
      const clusters = (await record("firefox-01-opus-ts50")).takeClusters();
      for (const cluster of [...clusters, ...(await record("firefox-01-opus-ts50", { keep: false })).takeClusters()]) {
        assert.ok(cluster.beginsWithKeyFrame);
        const kept = (await repair(await cluster.standalone())).report.recordings[0];
        assert.equal(kept.duration.toFixed(3), (cluster.time + cluster.duration).toFixed(3));
        const moved = (await repair(await cluster.standalone({ fromZero: true }))).report.recordings[0];
        assert.equal(moved.duration.toFixed(3), cluster.duration.toFixed(3));
      }
    });
  });

  describe("a clip", () => {
    test("says where it really begins and ends", async () => {
      const recording = await record("chromium-07-vp8opus-nots");
      const { blob, start, end } = await recording.clip({ start: 5, end: 7 });
      assert.equal(start, 4.185);
      assert.ok(end >= 7 && end < 7.1);
      const { report } = await repair(blob);
      assert.equal(report.recordings[0].duration.toFixed(3), (end - start).toFixed(3));
    });

    test("of audio alone begins at the block that plays then", async () => {
      const recording = await record("chromium-26-long-audio-nots-75s");
      const { start, end } = await recording.clip({ start: 10, end: 20 });
      assert.ok(start <= 10 && start > 9.93);
      assert.ok(end >= 20 && end < 20.07);
    });

    test("must have its start before its end, and before the recording's", async () => {
      const recording = await record("chromium-07-vp8opus-nots");
      for (const [start, end] of [[2, 1], [1, 1], [100, 200], [-2, -1], [NaN, NaN]]) await rejects(recording.clip({ start, end }), "invalid-range");
    });
  });

  test("a join point begins with the newest key frame", async () => {
    const recording = await record("chromium-noalpha-06-vp8only-ts100");
    const { blob, start, end } = await recording.joinPoint();
    assert.deepEqual([start, end], [3.495, 6.019]);
    const { report } = await repair(blob);
    assert.equal(report.recordings[0].clusters, 1);
  });

  describe("a join", () => {
    const file = (name) => new Blob([load(name).bytes]);

    test("has the recordings one after the other", async () => {
      const progress = [];
      const { blob, end } = await join([file("firefox-10b-two-recordings"), file("firefox-10b-two-recordings-second")], { onProgress: (p) => progress.push(p) });
      assert.equal(end.toFixed(3), (5.026 + 5.006).toFixed(3));
      assert.equal((await repair(blob)).report.recordings[0].duration.toFixed(3), end.toFixed(3));
      assert.ok(progress.length > 1 && progress.every((p) => p >= 0 && p <= 1));
    });

    test("of what one file cannot hold names the tracks", async () => {
      await assert.rejects(join([file("chromium-08-pause-vp8opus-ts500"), file("chromium-05a-av1opus")]), /track 1 of recording 2 is video \(V_AV1\), the first has V_VP8/);
      await assert.rejects(join([file("chromium-08-pause-vp8opus-ts500"), file("chromium-11b-camera-vp8opus")]), /audio \(A_OPUS\), with 1 channels, the first has 2/);
      await rejects(join([file("chromium-08-pause-vp8opus-ts500"), new Blob(["MP4"])]), "not-webm");
    });

    test("and a repair end when their signal says so", async () => {
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      await assert.rejects(join([file("firefox-10b-two-recordings")], { signal }), reason);
      await assert.rejects(repair(file("firefox-10b-two-recordings"), { signal }), reason);
    });
  });
});
