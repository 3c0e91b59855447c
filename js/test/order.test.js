// Chunks that come with their numbers: late, twice, or never.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Recording, repair, WebmendError } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const bytes = readFileSync(`${testdata}firefox-08-pause-vp8opus-ts500.webm`);
const { chunks: sizes } = JSON.parse(readFileSync(`${testdata}firefox-08-pause-vp8opus-ts500.json`));
let end = 0;
const chunks = sizes.map((size) => new Blob([bytes.subarray(end, (end += size))]));
const offset = (number) => sizes.slice(0, number).reduce((sum, size) => sum + size, 0);
const sequence = (number) => ({ sequence: number });

/** The header and clusters that there are, as one. */
async function content(recording) {
  const parts = [recording.takeHeader(), ...recording.takeClusters()].map((part) => part.blob());
  return Buffer.from(await new Blob(parts).arrayBuffer());
}

inBoth(() => {
  describe("numbered chunks", () => {
    test("are split in the order of their numbers, each once", async () => {
      const orders = {
        backwards: chunks.map((_, i) => chunks.length - 1 - i),
        "in pairs that are swapped": chunks.map((_, i) => (i ^ 1) % chunks.length),
        "each twice": chunks.flatMap((_, i) => [i, i]),
        "again from the beginning": chunks.flatMap((_, i) => [i, 0, i >> 1]),
      };
      for (const [name, order] of Object.entries(orders)) {
        const recording = new Recording();
        for (const number of order) recording.pushChunk(chunks[number], sequence(number));
        const { missing, dropped } = await recording.finish();
        assert.deepEqual([missing, dropped], [[], []], name);
        assert.ok((await content(recording)).equals(bytes), name);
      }
    });

    test("that are early do not keep their sender waiting, and are split with the one that was missing", async () => {
      const recording = new Recording();
      await recording.pushChunk(chunks[0], sequence(0));
      for (let i = 2; i < chunks.length; i++) await recording.pushChunk(chunks[i], sequence(i));
      assert.equal(recording.takeClusters().length, 0);
      assert.deepEqual(recording.report.missing, [{ first: 1, last: 1, offset: offset(1) }]);
      await recording.pushChunk(chunks[1], sequence(1));
      assert.deepEqual(recording.report.missing, []);
      assert.ok(recording.takeClusters().length > 3);
    });

    test("that never come are named, and what waits is taken in after each hole", async () => {
      const lost = [3, 4, 8];
      const recording = new Recording();
      for (const [i, chunk] of chunks.entries()) if (!lost.includes(i)) recording.pushChunk(chunk, sequence(i));
      const missing = [
        { first: 3, last: 4, offset: offset(3) },
        { first: 8, last: 8, offset: offset(8) - sizes[3] - sizes[4] },
      ];
      assert.deepEqual(recording.report.missing, missing);
      const report = await recording.finish();
      assert.deepEqual(report.missing, missing);
      assert.deepEqual(recording.report, report);
      assert.equal(report.bytes, bytes.length - sizes[3] - sizes[4] - sizes[8]);
      assert.deepEqual(report.dropped.filter((d) => d.reason.code === "lost").length, 2);
      const clusters = recording.takeClusters();
      assert.equal(clusters.at(-1).end, report.bytes);
      const parts = [...clusters, ...report.recordings.map((r) => r.header), ...report.dropped, ...report.other];
      assert.equal(parts.reduce((n, p) => n + p.end - p.start, 0), report.bytes, "every byte is accounted for");
    });

    test("wait up to a limit; then they are refused, may come again, and the one that is missing is still taken", async () => {
      const recording = new Recording({ limits: { waitingChunks: 3 } });
      for (const i of [0, 2, 3, 4]) await recording.pushChunk(chunks[i], sequence(i));
      await assert.rejects(recording.pushChunk(chunks[5], sequence(5)), (error) => {
        assert.ok(error instanceof WebmendError);
        assert.equal(error.code, "waiting");
        assert.match(error.message, /chunk 5 was not taken, as 3 chunks wait for chunk 1/);
        return true;
      });
      await recording.pushChunk(chunks[4], sequence(4)); // is there already
      await recording.pushChunk(chunks[1], sequence(1));
      for (let i = 5; i < chunks.length; i++) await recording.pushChunk(chunks[i], sequence(i));
      assert.deepEqual((await recording.finish()).missing, []);
      assert.ok((await content(recording)).equals(bytes));
    });

    test("and chunks without a number do not mix", async () => {
      const [numbered, plain] = [new Recording(), new Recording()];
      await numbered.pushChunk(chunks[0], sequence(0));
      const mixed = { name: "WebmendError", code: "invalid-argument", message: "webmend: either all chunks have a sequence number or none" };
      await assert.rejects(numbered.pushChunk(chunks[1]), mixed);
      await plain.pushChunk(chunks[0]);
      await assert.rejects(plain.pushChunk(chunks[1], sequence(1)), mixed);
      for (const wrong of [-1, 0.5, NaN, "1", null]) await assert.rejects(new Recording().pushChunk(chunks[0], sequence(wrong)), { code: "invalid-argument", message: /sequence must be an? (integer|number from 0 on)/ });
      for (const recording of [numbered, plain]) assert.equal((await recording.finish()).bytes, sizes[0]);
    });
  });

  describe("a recording that is joined with its header", () => {
    const first = 5; // of the chunks that come

    async function recorded() {
      const whole = new Recording();
      for (const chunk of chunks) whole.pushChunk(chunk);
      await whole.finish();
      return { header: whole.takeHeader(), clusters: whole.takeClusters(), duration: whole.duration };
    }

    test("goes on at the next cluster, whatever the header is given as", async () => {
      const { header, clusters, duration } = await recorded();
      const begin = clusters.find((c) => c.start >= offset(first)).start;
      for (const given of [header, header.blob(), await header.bytes(), (await header.bytes()).buffer]) {
        const recording = new Recording({ header: given });
        for (const chunk of chunks.slice(first)) recording.pushChunk(chunk);
        const report = await recording.finish();
        assert.ok((await content(recording)).equals(Buffer.concat([bytes.subarray(0, header.end), bytes.subarray(begin)])));
        assert.equal(report.bytes, header.end + bytes.length - offset(first));
        assert.equal(report.recordings[0].duration, duration);
        assert.deepEqual(report.dropped.map((d) => [d.reason.code, d.start, d.end]), [["lost", header.end, header.end + begin - offset(first)]]);
        const { report: again } = await repair(await recording.seekable({ keepUndecodable: true }));
        assert.deepEqual([again.dropped, again.recordings[0].clusters], [[], report.recordings[0].clusters]);
      }
    });

    test("counts the numbers of its chunks from the first that comes", async () => {
      const { header } = await recorded();
      const recording = new Recording({ header });
      for (const number of [7, 6, 9, 10, 8, 12]) await recording.pushChunk(chunks[number], sequence(number));
      const { missing } = await recording.finish();
      assert.deepEqual(missing, [{ first: 11, last: 11, offset: header.end + offset(11) - offset(7) }]);
    });

    test("takes a recorder that begins anew, too", async () => {
      const { header, clusters } = await recorded();
      const recording = new Recording({ header });
      for (const chunk of chunks) recording.pushChunk(chunk);
      const report = await recording.finish();
      const taken = recording.takeClusters();
      assert.equal(taken.length, clusters.length);
      assert.equal(report.recordings[taken[0].recordingIndex].clusters, clusters.length);
    });

    test("is nothing without one", async () => {
      const recording = new Recording({ header: new Blob(["no header"]) });
      await recording.pushChunk(chunks[3]); // a header may yet come
      await assert.rejects(recording.finish(), { code: "missing" });
    });
  });
});
