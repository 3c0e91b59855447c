// Recordings as streams.

import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { Cluster, Header, Recording, splitter } from "../dist/index.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const name = "chromium-noalpha-03-vp8opus-ts250";
const file = join(testdata, `${name}.webm`);
const bytes = readFileSync(file);
const restarted = readFileSync(join(testdata, "firefox-24-same-recorder-restart.webm"));

/** Bytes in chunks of one length. */
function cut(bytes, length) {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

async function together(segments) {
  return Buffer.concat(await Promise.all(segments.map((s) => s.bytes())));
}

/** Lets everything happen that can. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("segments", () => {
  test("are the header and each cluster as soon as it is complete, in order, and end with the recording", async () => {
    const recording = new Recording({ keep: false });
    const reader = recording.segments.getReader();
    const segments = [];
    for (const chunk of cut(bytes, 10000)) {
      await recording.pushChunk(chunk);
      const complete = recording.report.recordings.length + (recording.report.recordings[0]?.clusters ?? 0);
      while (segments.length < complete) segments.push((await reader.read()).value);
    }
    assert.ok(segments.length > 40);
    await recording.finish();
    segments.push((await reader.read()).value);
    assert.equal((await reader.read()).done, true);
    assert.ok(segments[0] instanceof Header && segments.slice(1).every((s) => s instanceof Cluster));
    assert.ok((await together(segments)).equals(bytes));
  });

  test("of a restarted recorder come in the order of the stream", async () => {
    const recording = new Recording();
    recording.pushChunk(restarted);
    recording.finish();
    const segments = [];
    for await (const segment of recording.segments) segments.push(segment);
    assert.deepEqual(segments.map((s) => [s.recording, s instanceof Header]), [0, 0, 0, 0, 1, 1, 1, 1].map((r, i) => [r, i % 4 === 0]));
    assert.ok((await together(segments)).equals(restarted));
  });

  test("are not lost to a reader that is slow, and it keeps no chunk waiting", async () => {
    const recording = new Recording();
    const { segments } = recording;
    for (const chunk of cut(bytes, 10000)) await recording.pushChunk(chunk);
    const report = await recording.finish();
    assert.equal(report.bytes, bytes.length);
    const all = [];
    await segments.pipeTo(new WritableStream({ write: (segment) => turn().then(() => void all.push(segment)) }));
    assert.ok((await together(all)).equals(bytes));
  });

  test("come out once, be it here or from takeHeader and takeClusters", async () => {
    const recording = new Recording();
    const reader = recording.segments.getReader();
    await recording.pushChunk(bytes.subarray(0, 100000));
    const header = (await reader.read()).value;
    assert.equal(recording.takeHeader(), null);
    const [first, ...some] = recording.takeClusters();
    assert.equal(first.start, header.end);
    await recording.pushChunk(bytes.subarray(100000));
    await recording.finish();
    const rest = [];
    for (let r; !(r = await reader.read()).done; ) rest.push(r.value);
    assert.ok(rest.length > 1);
    assert.ok((await together([header, first, ...some, ...rest])).equals(bytes));
  });

  test("that nobody wants any more are left to takeClusters", async () => {
    const recording = new Recording();
    const reader = recording.segments.getReader();
    await recording.pushChunk(bytes.subarray(0, 1000));
    const { value: header } = await reader.read();
    const waiting = reader.read(); // for the first cluster
    await turn();
    await reader.cancel();
    assert.equal((await waiting).done, true);
    await recording.pushChunk(bytes.subarray(1000));
    await recording.finish();
    assert.ok((await together([header, ...recording.takeClusters()])).equals(bytes));
  });

  test("are one stream, however often it is asked for", () => {
    const recording = new Recording();
    assert.equal(recording.segments, recording.segments);
  });

  test("of what is no WebM fail as finish does", async () => {
    const recording = new Recording();
    const read = recording.segments.getReader().read();
    recording.pushChunk(new Uint8Array(100));
    recording.finish().catch(() => {});
    await assert.rejects(read, { name: "WebmendError", code: "not-webm" });
  });

  test("fail when the recording is closed before they are read, whether it is finished or not", async () => {
    const finished = new Recording();
    const unread = finished.segments.getReader();
    finished.pushChunk(bytes);
    await finished.finish();
    finished.close();
    await assert.rejects(unread.read(), { code: "finished" });

    const open = new Recording();
    const waiting = open.segments.getReader().read();
    open.close();
    await assert.rejects(waiting, { code: "finished" });

    const read = new Recording();
    const reader = read.segments.getReader();
    read.pushChunk(bytes.subarray(0, 5000));
    await read.finish();
    read.takeHeader();
    read.takeClusters();
    read.close();
    assert.equal((await reader.read()).done, true);
  });
});

describe("finished", () => {
  test("is the report, whoever finishes the recording", async () => {
    const recording = new Recording();
    recording.pushChunk(bytes);
    const report = await recording.finish();
    assert.equal(await recording.finished, report);
    recording.close();
    assert.equal(await recording.finished, report);
  });

  test("is rejected when there is no recording, and when it is closed, and need not be looked at", async () => {
    for (const end of ["finish", "close"]) {
      const recording = new Recording();
      recording[end]()?.catch(() => {});
      await turn(); // an unhandled rejection would end the test run
      await assert.rejects(recording.finished, { code: end === "finish" ? "empty" : "finished" });
    }
  });
});

describe("a splitter", () => {
  test("is a stream from a file's bytes to its segments, in Node", async () => {
    const segments = [];
    for await (const segment of Readable.toWeb(createReadStream(file)).pipeThrough(splitter())) segments.push(segment);
    assert.ok(segments[0] instanceof Header);
    assert.equal(segments.length, 44);
    assert.ok((await together(segments)).equals(bytes));
  });

  test("takes nothing in while nobody reads", async () => {
    let pulled = 0;
    const chunks = cut(bytes, 10000);
    const source = new ReadableStream({
      pull(controller) {
        pulled++;
        if (chunks.length === 0) controller.close();
        else controller.enqueue(chunks.shift());
      },
    });
    const reader = source.pipeThrough(splitter()).getReader();
    const segments = [(await reader.read()).value];
    for (let i = 0; i < 100; i++) await turn();
    assert.ok(pulled < 5, `${pulled} chunks were pulled for one segment`);
    for (let r; !(r = await reader.read()).done; ) segments.push(r.value);
    assert.ok((await together(segments)).equals(bytes));
  });

  test("splits into the recording that it is given", async () => {
    const recording = new Recording();
    let count = 0;
    for await (const segment of new Blob([bytes]).stream().pipeThrough(splitter(recording))) count += segment.end - segment.start;
    assert.equal(count, bytes.length);
    const report = await recording.finished;
    assert.equal(report.recordings[0].clusters, 43);
    assert.ok((await recording.seekable()).size > bytes.length / 2);
  });

  test("fails on both sides when there is no WebM", async () => {
    const { readable, writable } = splitter();
    const read = readable.getReader().read();
    const writer = writable.getWriter();
    const written = writer.write(new TextEncoder().encode("\0\0\0\x1cftypmp42\0\0\0\0mp42mp41isomavc1"));
    await assert.rejects(read, { name: "WebmendError", code: "not-webm" });
    await assert.rejects(written, { code: "not-webm" });
    await assert.rejects(writer.closed, { code: "not-webm" });
  });

  test("fails at the end of what is empty", async () => {
    await assert.rejects(new Blob([]).stream().pipeThrough(splitter()).pipeTo(new WritableStream()), { code: "empty" });
  });
});
