// Recordings as streams.

import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { Recording } from "../dist/index.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const name = "chromium-noalpha-03-vp8opus-ts250";
const file = join(testdata, `${name}.webm`);
const bytes = readFileSync(file);
const restarted = readFileSync(join(testdata, "firefox-24-same-recorder-restart.webm"));
const second = restarted.indexOf(Buffer.from("1a45dfa3", "hex"), 1); // where its second recording begins

/** Bytes in chunks of one length. */
function cut(bytes, length) {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

async function together(segments) {
  return Buffer.concat(await Promise.all(segments.map((s) => s.bytes())));
}

/** All that a stream has. */
async function all(stream) {
  const segments = [];
  for await (const segment of stream) segments.push(segment);
  return segments;
}

const sequences = (segments) => segments.map((s) => s.sequence);

/** Lets everything happen that can. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("segments", () => {
  test("are the header and each cluster as soon as it is complete, in order, and end with the recording", async () => {
    const recording = new Recording({ keep: false });
    const reader = recording.segments().getReader();
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
    assert.ok(segments[0].kind === "header" && segments.slice(1).every((s) => s.kind === "cluster"));
    assert.ok((await together(segments)).equals(bytes));
  });

  test("of a restarted recorder come in the order of the stream", async () => {
    const recording = new Recording();
    recording.pushChunk(restarted);
    recording.finish();
    const segments = [];
    for await (const segment of recording.segments()) segments.push(segment);
    assert.deepEqual(segments.map((s) => [s.recordingIndex, s.kind === "header"]), [0, 0, 0, 0, 1, 1, 1, 1].map((r, i) => [r, i % 4 === 0]));
    assert.ok((await together(segments)).equals(restarted));
  });

  test("are not lost to a reader that is slow, and it keeps no chunk waiting", async () => {
    const recording = new Recording();
    const segments = recording.segments();
    for (const chunk of cut(bytes, 10000)) await recording.pushChunk(chunk);
    const report = await recording.finish();
    assert.equal(report.bytes, bytes.length);
    const all = [];
    await segments.pipeTo(new WritableStream({ write: (segment) => turn().then(() => void all.push(segment)) }));
    assert.ok((await together(all)).equals(bytes));
  });

  for (const keep of [true, false]) {
    test(`come out of every stream that is open, each at its own pace, with keep: ${keep}`, async () => {
      const recording = new Recording({ keep });
      const [eager, slow] = [recording.segments(), recording.segments()];
      const read = [];
      const reading = eager.pipeTo(new WritableStream({ write: (segment) => void read.push(segment) }));
      for (const chunk of cut(bytes, 10000)) await recording.pushChunk(chunk);
      await turn();
      assert.ok(read.length > 40);
      assert.deepEqual([recording.takeHeader(), recording.takeClusters()], [null, []]);
      await recording.finish();
      await reading;
      for (const segments of [read, await all(slow)]) assert.ok((await together(segments)).equals(bytes));
    });
  }

  test("of a stream that is opened beside others begin with the header of the recording under way", async () => {
    const recording = new Recording();
    const first = recording.segments();
    await recording.pushChunk(restarted.subarray(0, second - 1000));
    const beside = recording.segments();
    await recording.pushChunk(restarted.subarray(second - 1000, second + 10000));
    const later = recording.segments();
    await recording.pushChunk(restarted.subarray(second + 10000));
    await recording.finish();
    const [one, two, three] = await Promise.all([first, beside, later].map(all));
    assert.ok((await together(one)).equals(restarted));
    assert.deepEqual(sequences(two), [0, ...sequences(one).slice(1 - two.length)]);
    assert.deepEqual(sequences(three), [4, ...sequences(one).slice(1 - three.length)]);
    assert.ok(three.length > 1 && two.length > three.length && one.length > two.length);
  });

  for (const keep of [true, false]) {
    test(`that the last stream has not given when it is left wait for the next, or for takeClusters, with keep: ${keep}`, async () => {
      const recording = new Recording({ keep });
      const got = [];
      for (const chunk of cut(bytes, 100_000)) {
        await recording.pushChunk(chunk);
        const complete = 1 + recording.report.recordings[0].clusters;
        if (got.length === complete) continue;
        for await (const segment of recording.segments()) {
          got.push(segment);
          if (got.length % 2 === 0 || got.length === complete) break;
        }
      }
      const reader = recording.segments().getReader();
      const { value } = await reader.read();
      await recording.finish();
      await reader.cancel();
      const rest = recording.takeClusters();
      assert.ok(rest.length > 10);
      assert.ok((await together([...got, value, ...rest])).equals(bytes));
    });
  }

  test("that a stream has not given when it is left are lost by no other", async () => {
    const recording = new Recording();
    const [stays, leaves] = [recording.segments(), recording.segments()];
    await recording.pushChunk(bytes.subarray(0, 100_000));
    await leaves.cancel();
    assert.deepEqual(recording.takeClusters(), []);
    await recording.pushChunk(bytes.subarray(100_000));
    await recording.finish();
    assert.ok((await together(await all(stays))).equals(bytes));
  });

  test("that nobody wants any more are left to takeClusters, even if a read was waiting for them", async () => {
    const recording = new Recording();
    const reader = recording.segments().getReader();
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

  test("of what is no WebM fail as finish does", async () => {
    const recording = new Recording();
    const read = recording.segments().getReader().read();
    recording.pushChunk(new Uint8Array(100));
    recording.finish().catch(() => {});
    await assert.rejects(read, { name: "WebmendError", code: "not-webm" });
  });

  test("fail when the recording is closed before they are read, whether it is finished or not", async () => {
    const finished = new Recording();
    const unread = finished.segments().getReader();
    finished.pushChunk(bytes);
    await finished.finish();
    finished.close();
    await assert.rejects(unread.read(), { code: "finished" });

    const open = new Recording();
    const waiting = open.segments().getReader().read();
    open.close();
    await assert.rejects(waiting, { code: "finished" });

    const read = new Recording();
    const reader = read.segments().getReader();
    read.pushChunk(bytes.subarray(0, 5000));
    const { recordings } = await read.finish();
    for (let n = 0; n < 1 + recordings[0].clusters; n++) assert.equal((await reader.read()).done, false);
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

describe("the writable of a recording", () => {
  const pipe = (recording) => ({ writable: recording.writable, readable: recording.segments() });

  test("is what a pipe from a file's bytes to its segments goes through, in Node", async () => {
    const recording = new Recording({ keep: false });
    const segments = await all(Readable.toWeb(createReadStream(file)).pipeThrough(pipe(recording)));
    assert.equal(segments[0].kind, "header");
    assert.equal(segments.length, 44);
    assert.ok((await together(segments)).equals(bytes));
    assert.equal((await recording.finished).recordings[0].clusters, 43);
  });

  test("takes in no more than has been split, and finishes the recording when it is closed", async () => {
    const recording = new Recording();
    const writer = recording.writable.getWriter();
    assert.equal(recording.writable, recording.writable);
    let written = 0;
    for (const chunk of cut(bytes, 10000)) {
      await writer.ready;
      await writer.write(chunk);
      assert.equal(recording.report.bytes, (written += chunk.length));
    }
    await writer.close();
    assert.equal((await recording.finished).bytes, bytes.length);
    assert.ok((await recording.seekable()).size > bytes.length / 2);
  });

  test("closes the recording when it is aborted, with the reason", async () => {
    for (const reason of [new Error("the connection is lost"), undefined]) {
      const recording = new Recording();
      const segments = recording.segments().getReader();
      const writer = recording.writable.getWriter();
      await writer.write(bytes.subarray(0, 100_000));
      await writer.abort(reason);
      const wanted = reason ?? { name: "WebmendError", code: "finished" };
      await assert.rejects(recording.finished, wanted);
      await assert.rejects(segments.read(), wanted);
    }
  });

  test("fails on both sides when there is no WebM", async () => {
    const { readable, writable } = pipe(new Recording());
    const read = readable.getReader().read();
    const writer = writable.getWriter();
    const written = writer.write(new TextEncoder().encode("\0\0\0\x1cftypmp42\0\0\0\0mp42mp41isomavc1"));
    await assert.rejects(read, { name: "WebmendError", code: "not-webm" });
    await assert.rejects(written, { code: "not-webm" });
    await assert.rejects(writer.closed, { code: "not-webm" });
  });

  test("finishes the recording after what is no chunk, so that nothing is lost of what came before", async () => {
    const recording = new Recording();
    const writer = recording.writable.getWriter();
    await writer.write(bytes);
    await assert.rejects(writer.write("text"));
    writer.closed.catch(() => {});
    assert.equal((await recording.finished).bytes, bytes.length);
  });

  test("fails at the end of what is empty", async () => {
    await assert.rejects(new Blob([]).stream().pipeThrough(pipe(new Recording())).pipeTo(new WritableStream()), { code: "empty" });
  });
});

describe("what nobody reads", () => {
  test("is given to the browser once, however much waits", async () => {
    const short = readFileSync(join(testdata, "chromium-01-opus-ts50.webm"));
    const recording = new Recording({ keep: false });
    for (const chunk of cut(short, 500)) await recording.pushChunk(chunk);
    await recording.pushChunk(cut(short, 500)[0]);
    const clusters = recording.takeClusters();
    const counted = new Recording({ keep: false });
    const { prototype } = clusters[0].constructor;
    const { rest } = prototype;
    let calls = 0;
    prototype.rest = function () {
      calls++;
      return rest.call(this);
    };
    try {
      for (const chunk of cut(short, 500)) await counted.pushChunk(chunk);
      await counted.pushChunk(cut(short, 500)[0]);
    } finally {
      prototype.rest = rest;
    }
    assert.ok(clusters.length > 50, `there are ${clusters.length}`);
    assert.ok(calls > clusters.length - 10 && calls <= clusters.length, `${calls} calls for ${clusters.length} clusters`);
    assert.deepEqual(await together(counted.takeClusters()), await together(clusters));
  });
});
