// What is uploaded while it is recorded: parts that are a file when they are put
// together, and segments with their numbers and checksums.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join as path } from "node:path";
import { describe, test } from "node:test";
import { crc32 } from "node:zlib";
import { Header, Recording, repair, WebmendError } from "../dist/index.js";
import { inspect } from "../dist/inspect.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const names = readdirSync(testdata)
  .filter((f) => f.endsWith(".webm") && f !== "chromium-23-stop-immediately.webm") // which has no bytes
  .map((f) => f.slice(0, -5));

const load = (name) => readFileSync(path(testdata, `${name}.webm`));

/** A stream as its recorder cut it, or in pieces of some length. */
function* chunks(name, length) {
  const bytes = load(name);
  const lengths = length ? Array(Math.ceil(bytes.length / length)).fill(length) : JSON.parse(readFileSync(path(testdata, `${name}.json`))).chunks;
  let at = 0;
  for (const n of lengths) yield bytes.subarray(at, (at += n));
}

const all = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
};
const content = async (blob) => Buffer.from(await blob.arrayBuffer());
const file = (parts) => new Blob(parts.toSorted((a, b) => a.number - b.number).map((p) => p.blob));
const rejects = (promise, code) => assert.rejects(promise, (e) => e instanceof WebmendError && e.code === code);

/** The sizes that parts must have, the last of them at most as long as the others. */
function rightParts(parts, size, order) {
  const n = parts.length;
  const inOrder = Array.from({ length: n }, (_, i) => i + 1);
  assert.deepEqual(parts.map((p) => p.number), order === "arrival" ? inOrder : [...inOrder.slice(1), 1]);
  for (const { number, offset, blob, last } of parts) {
    assert.equal(offset, (number - 1) * size);
    assert.equal(last, number === n);
    assert.ok(last ? blob.size > 0 && blob.size <= size : blob.size === size, `part ${number} of ${n} has ${blob.size} bytes`);
    assert.equal(blob.type, "");
  }
}

/** How many elements of a file are of unknown size. */
async function unknownSizes(blob) {
  let unknown = 0;
  await inspect(blob, { onElements: (elements) => (unknown += elements.filter((e) => e.size < 0).length) });
  return unknown;
}

inBoth(() => {
  describe("parts", () => {
    for (const name of names) {
      test(`of ${name} are its file, however it is cut`, async () => {
        for (const order of ["seekable", "arrival"]) {
          let first;
          for (const [length, size] of [[0, 10_000], [3000, 10_000], [1e9, 70_000]]) {
            const recording = new Recording();
            const options = { size, order, expectedSeconds: 0 };
            const uploads = [all(recording.parts(options))]; // one as it comes
            for (const chunk of chunks(name, length)) recording.pushChunk(chunk);
            const { recordings } = await recording.finish();
            for (const i of recordings.keys()) uploads.push(all(recording.parts({ ...options, recordingIndex: i })));
            const [during, ...afterwards] = await Promise.all(uploads);
            const made = await Promise.all(afterwards.map((parts) => content(file(parts))));
            for (const parts of [during, ...afterwards]) rightParts(parts, size, order);
            assert.ok(made[0].equals(await content(file(during))));
            first ??= made;
            for (const i of recordings.keys()) assert.ok(made[i].equals(first[i]));
          }
          const recording = new Recording();
          for (const chunk of chunks(name)) recording.pushChunk(chunk);
          const { recordings } = await recording.finish();
          for (const i of recordings.keys()) {
            const { report, blob } = await repair(new Blob([first[i]]));
            assert.deepEqual(report.dropped, []);
            assert.equal(report.recordings[0].duration, recordings[i].duration);
            const seekable = await content(await recording.seekable({ recordingIndex: i }));
            assert.ok((await content(blob)).equals(seekable), "the same media");
            assert.equal(await unknownSizes(new Blob([first[i]])), order === "arrival" ? 1 : 0);
          }
        }
      });
    }

    test("come as soon as they are full, and the first last", async () => {
      const recording = new Recording();
      const reader = recording.parts({ size: 100_000 }).getReader();
      const read = reader.read();
      for (const chunk of chunks("chromium-noalpha-03-vp8opus-ts250")) await recording.pushChunk(chunk);
      assert.equal((await read).value.number, 2);
      assert.equal((await reader.read()).value.number, 3);
      await recording.finish();
      const numbers = [];
      for (let part; (part = (await reader.read()).value); ) numbers.push(part.number);
      assert.deepEqual(numbers, [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1]);
    });

    test("are of the default size, and one that is shorter is the only one", async () => {
      const recording = new Recording();
      for (const chunk of chunks("firefox-06-vp8only-ts100")) recording.pushChunk(chunk);
      await recording.finish();
      for (const order of ["seekable", "arrival"]) {
        const parts = await all(recording.parts({ order }));
        assert.deepEqual(parts.map(({ number, offset, last }) => [number, offset, last]), [[1, 0, true]]);
      }
    });

    test("that fill the last one leave none that is empty", async () => {
      const recording = new Recording();
      for (const chunk of chunks("firefox-06-vp8only-ts100")) recording.pushChunk(chunk);
      await recording.finish();
      for (const expectedSeconds of [0, 1, 2]) {
        const [{ blob }] = await all(recording.parts({ expectedSeconds }));
        if (blob.size % 3 > 0) continue;
        const parts = await all(recording.parts({ expectedSeconds, size: blob.size / 3 }));
        rightParts(parts, blob.size / 3, "seekable");
        return assert.equal(parts.length, 3);
      }
      assert.fail("no length could be divided by three");
    });

    test("are not made before they are read", async () => {
      const recording = new Recording();
      const reader = recording.parts({ size: 100_000 }).getReader();
      for (const chunk of chunks("chromium-noalpha-03-vp8opus-ts250")) recording.pushChunk(chunk);
      await recording.finish();
      const { Blob } = globalThis;
      const sizes = [];
      globalThis.Blob = class extends Blob {
        constructor(...args) {
          super(...args);
          sizes.push(this.size);
        }
      };
      try {
        await recording.initializationSegment(); // in turn after all that was asked for before
        assert.ok(!sizes.includes(100_000));
        for (const number of [2, 3]) {
          assert.equal((await reader.read()).value.number, number);
          await recording.initializationSegment();
          assert.equal(sizes.filter((size) => size === 100_000).length, number - 1);
        }
      } finally {
        globalThis.Blob = Blob;
      }
    });

    test("can be cancelled, which leaves the recording and other parts alone", async () => {
      const recording = new Recording();
      const [cancelled, other] = [recording.parts({ size: 100_000 }).getReader(), recording.parts({ size: 100_000 })];
      const pending = cancelled.read();
      await cancelled.cancel();
      assert.deepEqual(await pending, { done: true, value: undefined });
      for (const chunk of chunks("firefox-06-vp8only-ts100")) recording.pushChunk(chunk);
      const halfway = recording.parts({ size: 100_000 });
      const reader = halfway.getReader();
      await reader.read();
      await reader.cancel();
      const { recordings } = await recording.finish();
      assert.equal((await repair(file(await all(other)))).report.recordings[0].duration, recordings[0].duration);
    });

    test("are of the first recording, and end when the recorder begins another", async () => {
      const recording = new Recording();
      const [first, second] = [0, 1].map((i) => recording.parts({ size: 50_000, expectedSeconds: 0, recordingIndex: i }));
      for (const chunk of chunks("firefox-24-same-recorder-restart")) recording.pushChunk(chunk);
      const parts = await all(first); // before it is finished
      await recording.finish();
      for (const [i, made] of [parts, await all(second)].entries()) {
        rightParts(made, 50_000, "seekable");
        assert.equal((await repair(file(made))).report.recordings[0].duration, recording.report.recordings[i].duration);
      }
    });

    test("have what the report calls undecodable, and not what is dropped", async () => {
      const whole = load("chromium-noalpha-03-vp8opus-ts250");
      const bytes = Buffer.concat([whole.subarray(0, 100_000), whole.subarray(130_000)]);
      for (const length of [1e9, 1000]) {
        const recording = new Recording();
        const parts = recording.parts({ size: 10_000, expectedSeconds: 0 });
        for (let at = 0; at < bytes.length; at += length) recording.pushChunk(bytes.subarray(at, at + length));
        const { dropped, undecodable } = await recording.finish();
        assert.ok(dropped.length > 0 && undecodable.length > 0);
        const { report, blob } = await repair(file(await all(parts)), { keepUndecodable: true });
        assert.deepEqual(report.dropped, []);
        assert.ok((await content(blob)).equals(await content(await recording.seekable({ keepUndecodable: true }))));
      }
    });

    test("fail as the recording does", async () => {
      const notWebM = new Recording();
      const parts = all(notWebM.parts());
      notWebM.pushChunk(Buffer.from("OggS"));
      notWebM.finish().catch(() => {});
      await rejects(parts, "not-webm");
      await rejects(all(notWebM.parts()), "not-webm");

      const closed = new Recording();
      const [before, pending] = [closed.parts(), all(closed.parts())];
      closed.close();
      await rejects(pending, "finished");
      await rejects(all(before), "finished");

      const finished = new Recording();
      for (const chunk of chunks("firefox-06-vp8only-ts100")) finished.pushChunk(chunk);
      await finished.finish();
      const late = finished.parts({ size: 100_000 });
      finished.close();
      await rejects(all(late), "finished");
    });

    test("are none of a recording without clusters, or of one that is not there", async () => {
      const recording = new Recording();
      const bytes = load("firefox-06-vp8only-ts100");
      recording.pushChunk(bytes.subarray(0, bytes.indexOf("1f43b675", "hex")));
      const parts = ["seekable", "arrival"].flatMap((order) => [0, 1].map((i) => all(recording.parts({ order, recordingIndex: i }))));
      recording.finish();
      for (const promise of parts) await rejects(promise, "no-clusters");
    });

    test("fail before anything is sent if there is no room for what must come first", async () => {
      const recording = new Recording();
      const bytes = load("firefox-06-vp8only-ts100");
      const cluster = bytes.indexOf("1f43b675", "hex");
      const tags = Buffer.concat([Buffer.from("1254c367538bec5388", "hex"), Buffer.alloc(5000)]); // with a Void of 5,000 bytes
      recording.pushChunk(Buffer.concat([bytes.subarray(0, cluster), tags, bytes.subarray(cluster)]));
      await rejects(all(recording.parts({ size: 5000, expectedSeconds: 0 })), "too-large");
      await recording.finish();
      assert.equal((await all(recording.parts())).length, 1);
    });

    test("must be larger than the room at the beginning, of a whole number of bytes", async () => {
      const recording = new Recording();
      for (const options of [{ size: 0 }, { size: -1 }, { size: 1.5e7 + 0.5 }, { size: NaN }, { size: "8388608" }, { size: 60_000 }, { size: 4096, expectedSeconds: 0 }, { expectedSeconds: NaN }, { expectedSeconds: 1e9 }, { order: "arrival", size: 0 }]) {
        await rejects(all(recording.parts(options)), "invalid-argument");
      }
      await rejects(all(recording.parts({ order: "random" })), "invalid-argument");
      await rejects(all(new Recording({ keep: false }).parts()), "not-kept");
    });
  });

  describe("segments", () => {
    for (const name of ["firefox-24-same-recorder-restart", "chromium-36-late-requestdata"]) {
      test(`of ${name} say their number, their place and the CRC-32 of what was recorded, however it is cut`, async () => {
        const bytes = load(name);
        for (const keep of [true, false]) {
          for (const length of [0, 1000, 1e9]) {
            const recording = new Recording({ keep });
            for (const chunk of chunks(name, length)) recording.pushChunk(chunk);
            recording.finish();
            let number = 0;
            let at = 0;
            for await (const segment of recording.segments()) {
              assert.equal(segment.sequence, number++);
              assert.equal(segment.start, at);
              at = segment.end;
              assert.equal(await segment.crc32(), crc32(bytes.subarray(segment.start, segment.end)));
            }
            assert.ok(number > 2);
          }
        }
      });
    }

    test("are numbered in the order of the stream whichever way they are taken", async () => {
      const recording = new Recording();
      for (const chunk of chunks("firefox-24-same-recorder-restart", 1e9)) recording.pushChunk(chunk);
      await recording.finish();
      const clusters = recording.takeClusters();
      const headers = [recording.takeHeader(), recording.takeHeader()];
      const segments = [...clusters, ...headers].sort((a, b) => a.start - b.start);
      assert.deepEqual(segments.map((s) => s.sequence), [...segments.keys()]);
      assert.ok(segments[0].kind === "header" && headers[1].sequence > 1);
    });
  });
});
