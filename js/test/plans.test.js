// What a page makes of a recording: files and segments, by its store, and from
// files that are there already. That their frames are right, wasmtest shows of the
// same plans in Go; here the bytes that come of both ways are compared.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join as path } from "node:path";
import { describe, test } from "node:test";
import { clip, join, Recording, repair, WebmendError } from "../dist/index.js";
import { inspect } from "../dist/inspect.js";
import { blocksOf } from "./blocks.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;

function load(name) {
  const bytes = readFileSync(path(testdata, `${name}.webm`));
  const { chunks } = JSON.parse(readFileSync(path(testdata, `${name}.json`)));
  let at = 0;
  return { bytes, chunks: chunks.map((length) => new Blob([bytes.subarray(at, (at += length))])) };
}

const odd = (name) => readFileSync(path(testdata, "cases", `${name}.webm`));

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
          const { blob, report, end } = await repair(new Blob([load(name).bytes]), { recordingIndex: i });
          const seekable = await recording.seekable({ recordingIndex: i });
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
      await recording.pushChunk(chunks[0].slice(0, 300));
      await rejects(recording.seekable(), "no-clusters");
      await recording.pushChunk(chunks[0].slice(300));
      for (const chunk of chunks.slice(1, 20)) recording.pushChunk(chunk);
      const half = await recording.seekable();
      assert.ok((await repair(half)).report.recordings[0].duration > recording.duration);
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

  describe("before the recording is finished", () => {
    for (const name of ["chromium-noalpha-03-vp8opus-ts250", "firefox-08-pause-vp8opus-ts500", "chromium-26-long-audio-nots-75s", "chromium-36-late-requestdata"]) {
      test(`files of ${name} have every whole block that was pushed`, async () => {
        const { bytes } = load(name);
        const recording = new Recording();
        const files = [];
        const length = Math.ceil(bytes.length / 9);
        for (let at = 0; at < bytes.length; at += length) {
          const want = blocksOf(bytes.subarray(0, at + length));
          recording.pushChunk(bytes.subarray(at, at + length)); // which is waited for
          const seekable = recording.seekable();
          const all = recording.clip({ start: 0, end: Infinity });
          const tail = recording.joinPoint();
          recording.takeClusters();
          files.push({ want, made: [await seekable, (await all).blob], tail: (await tail).blob });
        }
        await recording.finish();
        recording.close();
        for (const { want, made, tail } of files) {
          for (const blob of made) assert.deepEqual(blocksOf(await content(blob)), want);
          const last = blocksOf(await content(tail));
          assert.ok(last.length > 0);
          assert.deepEqual(last, want.slice(-last.length));
        }
      });
    }

    test("a clip can be of the open cluster alone", async () => {
      const { bytes } = load("chromium-26-long-audio-nots-75s"); // in clusters of 30 seconds
      const half = bytes.subarray(0, bytes.length / 2);
      const recording = new Recording();
      await recording.pushChunk(half);
      const range = { start: recording.duration + 2, end: recording.duration + 4 };
      const early = await recording.clip(range);
      const late = await clip(new Blob([half]), range);
      assert.deepEqual([early.start, early.end], [late.start, late.end]);
      assert.deepEqual(blocksOf(await content(early.blob)), blocksOf(await content(late.blob)));
      recording.close();
    });
  });

  describe("a file whose Tracks come after its Clusters", () => {
    const bytes = odd("tracks-after-clusters");
    const large = makeRoom(bytes, 6 << 20); // more than is read at once

    test("can be repaired, clipped and joined", async () => {
      for (const file of [new Blob([bytes]), new Blob([large])]) {
        const progress = [];
        const { blob, report, end } = await repair(file, { onProgress: (p) => progress.push(p) });
        assert.deepEqual([report.dropped, report.error, report.bytes], [[], null, file.size]);
        assert.equal(end, 0.6);
        assert.deepEqual(blocksOf(await content(blob)), blocksOf(bytes));
        const again = (await repair(blob)).report;
        assert.deepEqual(again.dropped, []);
        assert.deepEqual(again.recordings[0].tracks, report.recordings[0].tracks);
        assert.deepEqual(progress, progress.toSorted((a, b) => a - b));
        const joined = await join([file, file]);
        assert.deepEqual(blocksOf(await content(joined.blob)), [...blocksOf(bytes), ...blocksOf(bytes)]);
        assert.ok(blocksOf(await content((await clip(file, { start: 0.2, end: 0.4 })).blob)).length > 3);
      }
    });

    test("is inspected to its end", async () => {
      for (const file of [bytes, large]) {
        const names = [];
        const { report, problems } = await inspect(new Blob([file]), { onElements: (elements) => names.push(...elements.map((e) => e.name)) });
        assert.deepEqual([problems, report.dropped, report.error], [[], [], null]);
        assert.deepEqual(names.filter((name) => ["Cluster", "Tracks", "Info"].includes(name)), ["Info", "Cluster", "Tracks"]);
      }
    });

    test("is an error of its own as a stream, which says what it needs", async () => {
      const recording = new Recording();
      const error = await recording.pushChunk(bytes).catch((error) => error);
      assert.equal(error.code, "tracks-later");
      assert.match(error.message, /needs the whole file/);
      await rejects(recording.finish(), "tracks-later");
    });

    /** The bytes with a Void before the Tracks, which the SeekHead finds all the same. */
    function makeRoom(bytes, length) {
      const tracks = bytes.indexOf("1654ae6b", 0x75, "hex");
      const room = Buffer.alloc(length);
      room[0] = 0xec;
      room.writeBigUInt64BE((1n << 56n) | BigInt(length - 9), 1);
      const moved = Buffer.concat([bytes.subarray(0, tracks), room, bytes.subarray(tracks)]);
      moved.writeUInt32BE(bytes.readUInt32BE(0x30) + length, 0x30); // the size of the Segment
      const position = bytes.indexOf("1654ae6b53ac84", 0, "hex") + 7;
      moved.writeUInt32BE(bytes.readUInt32BE(position) + length, position);
      return moved;
    }
  });

  test("a header without its first byte is given with it, and the file is as it was recorded", async () => {
    const bytes = odd("first-byte-lost");
    for (const keep of [true, false]) {
      const recording = new Recording({ keep });
      await recording.pushChunk(bytes);
      const header = recording.takeHeader();
      const { dropped } = await recording.finish();
      assert.deepEqual(dropped.map(({ start, end, reason }) => [start, end, reason.code]), [[0, 0, "lost"]]);
      assert.deepEqual([header.start, header.end], [0, 205]);
      const whole = Buffer.concat([Buffer.of(0x1a), bytes.subarray(0, 205)]);
      assert.ok((await content(header.blob())).equals(whole));
      assert.ok(Buffer.from(await header.bytes()).equals(whole));
      const clusters = recording.takeClusters();
      const { report } = await repair([header.blob(), ...clusters.map((c) => c.blob())]);
      assert.deepEqual(report.dropped, []);
      assert.equal(report.recordings[0].duration, 3.033);
      if (keep) assert.deepEqual(blocksOf(await content(await recording.seekable())), blocksOf(whole).concat(blocksOf(bytes.subarray(205))));
    }
    const elements = [];
    const { problems } = await inspect(new Blob([bytes]), { onElements: (some) => elements.push(...some) });
    assert.deepEqual(problems, []);
    assert.deepEqual([elements[0].name, elements[0].offset, elements[0].headLength], ["EBML", 0, 4]);
    assert.deepEqual([elements[1].name, elements[1].offset], ["EBMLVersion", 4]);
  });

  test("a gap says whether chunks are cut in it, however they are read", async () => {
    const recorded = odd("stalled-recorder");
    const [{ offset }] = (await repair(new Blob([recorded]))).report.gaps;
    // A Void, in which the block after the gap comes more than one piece later.
    const bytes = Buffer.concat([recorded.subarray(0, offset), Buffer.from("ec10030000", "hex"), Buffer.alloc(0x30000), recorded.subarray(offset)]);
    for (const [cut, boundary] of [[0, false], [offset - 5000, false], [offset, true], [offset + 70_000, true], [bytes.length - 100, false]]) {
      const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)].map((b) => new Blob([b]));
      const recording = new Recording();
      for (const chunk of chunks) recording.pushChunk(chunk);
      const reports = [await recording.finish(), (await repair(chunks)).report, (await inspect(chunks)).report];
      for (const { gaps } of reports) assert.deepEqual(gaps.map((g) => [g.tracks, g.boundary]), [[[1, 2], boundary]], `cut at ${cut}`);
    }
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
      for (const waits of ["to be taken", "in a stream", false]) {
        const recording = new Recording({ keep: false });
        if (waits === "in a stream") recording.segments();
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
      for (const [start, end] of [[2, 1], [1, 1], [100, 200], [-2, -1]]) await rejects(recording.clip({ start, end }), "invalid-range");
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
