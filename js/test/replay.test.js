// Instant replay: what is kept of a stream that goes on, and what is made of it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { clip, Recording, repair, Replay, WebmendError } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const file = (name) => readFileSync(new URL(`../../webm/testdata/${name}.webm`, import.meta.url));

/** The header of a recording of one file, and its clusters again and again, each later than the one before, with those of a session of `seconds`. */
async function* session(name, seconds) {
  const bytes = file(name);
  const recording = new Recording();
  await recording.pushChunk(bytes);
  const { duration } = await recording.finish().then((report) => report.recordings[0]);
  const clusters = recording.takeClusters();
  yield bytes.subarray(0, clusters[0].start);
  const turn = Math.ceil(duration * 1000);
  for (let shift = 0; shift < seconds * 1000; shift += turn) {
    for (const { start, end, timestamp } of clusters) {
      const head = start + bytes.subarray(start, start + 64).indexOf(0xe7); // its Timestamp, which is made one of 4 bytes
      const time = Buffer.alloc(6);
      time.writeUInt16BE(0xe784);
      time.writeUInt32BE(timestamp + shift, 2);
      yield Buffer.concat([bytes.subarray(start, head), time, bytes.subarray(head + 2 + (bytes[head + 1] & 0x7f), end)]);
    }
  }
}

/** What a file holds: its report, and the time of its first cluster. */
async function held(blob) {
  const { report } = await repair(blob);
  const recording = new Recording();
  await recording.pushChunk(blob);
  await recording.finish();
  const [first] = recording.takeClusters();
  return { duration: report.recordings[0].duration, begin: first.time, begins: first.beginsWithKeyFrame, dropped: report.dropped, undecodable: report.undecodable };
}

inBoth((worker) => {
  for (const [name, interval] of [
    ["chromium-11b-camera-vp8opus", 4.5],
    ["firefox-31-camera-audioonly", 1.5],
  ]) {
    test(`an hour of ${name} costs what its last seconds do`, async () => {
      const replay = new Replay({ seconds: 30 });
      let pushed = 0;
      let most = 0;
      for await (const chunk of session(name, worker ? 300 : 3600)) {
        await replay.pushChunk(chunk);
        pushed += chunk.length;
        most = Math.max(most, replay.size);
      }
      const { blob, start, end } = await replay.clip();
      const { duration, begin, begins, dropped } = await held(blob);
      assert.ok(end - start >= 29.9 && end - start < 30 + interval, `it is ${end - start} s`);
      assert.ok(Math.abs(duration - (end - start)) < 0.1, `it has ${duration} s`);
      assert.equal(begin, 0);
      assert.ok(begins);
      assert.deepEqual(dropped, []);
      assert.ok(most < (1.5 * pushed * (30 + 2 * interval)) / (worker ? 300 : 3600), `it has kept ${most} bytes of ${pushed}`);
      assert.ok(Math.abs(blob.size - replay.size) < replay.size * 0.3, `${blob.size} bytes of ${replay.size}`);
      replay.close();
      assert.equal(replay.size, 0);
    });
  }

  test("what there is of the open cluster is in it, and comes once", async () => {
    const bytes = file("chromium-26-long-audio-nots-75s"); // in clusters of 30 seconds
    const replay = new Replay({ seconds: 20 });
    const half = Math.floor(bytes.length / 2);
    await replay.pushChunk(bytes.subarray(0, half));
    if (worker) await replay.clip(); // from a worker fragments come from then on
    const first = await replay.clip();
    await replay.pushChunk(bytes.subarray(half, half + 30_000));
    const second = await replay.clip();
    assert.ok(worker || (first.end > 35 && first.end < 40), `the first ends at ${first.end}`);
    assert.ok(second.end > 45 && second.end < 60, `the second ends at ${second.end}`);
    for (const { blob, start, end } of [first, second]) {
      const got = await held(blob);
      assert.ok(Math.abs(got.duration - (end - start)) < 0.1 && got.dropped.length === 0, JSON.stringify(got));
    }
  });

  test("of a recorder that is started again it has both recordings", async () => {
    const bytes = file("chromium-24-same-recorder-restart");
    const { report } = await repair(new Blob([bytes]));
    const [first, second] = report.recordings.map((r) => r.duration);
    for (const [seconds, whole] of [
      [60, first + second],
      [second / 2, second],
    ]) {
      const replay = new Replay({ seconds });
      await replay.pushChunk(bytes.subarray(0, bytes.length - 20_000));
      await replay.pushChunk(bytes.subarray(bytes.length - 20_000));
      const { blob } = await replay.clip();
      const { duration } = await held(blob);
      assert.ok(duration <= whole + 0.1 && duration > whole - 1, `${seconds} s: it has ${duration} of ${whole}`);
    }
  });

  test("before there is anything there is nothing", async () => {
    const replay = new Replay();
    await assert.rejects(replay.clip(), (e) => e instanceof WebmendError && e.code === "no-clusters");
    await replay.pushChunk(file("chromium-01-opus-ts50").subarray(0, 150));
    await assert.rejects(replay.clip(), (e) => e instanceof WebmendError);
    replay.close();
    await assert.rejects(replay.pushChunk(new Uint8Array(3)), (e) => e.code === "finished");
  });

  test("a part of a file is what a recording's clip is", async () => {
    const bytes = file("firefox-08-pause-vp8opus-ts500");
    const recording = new Recording();
    await recording.pushChunk(bytes);
    await recording.finish();
    for (const range of [{ start: 1, end: 3 }, { start: 0, end: Infinity }, { start: -5, end: 0.5 }]) {
      const want = await recording.clip(range);
      const got = await clip(new Blob([bytes]), range);
      assert.deepEqual([got.start, got.end], [want.start, want.end]);
      assert.ok(Buffer.from(await got.blob.arrayBuffer()).equals(Buffer.from(await want.blob.arrayBuffer())));
    }
    await assert.rejects(clip(new Blob([bytes]), { start: 3, end: 3 }), (e) => e.code === "invalid-range");
  });
});
