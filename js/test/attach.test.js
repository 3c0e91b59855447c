// Attaching to a recorder. The recorder is a replay: it delivers what browsers
// recorded, in the order of events that they were measured to have. Real recorders
// are in wasmtest.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Recording, WebmendError } from "../dist/index.js";
import { blocksOf } from "./blocks.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;

function load(name) {
  const bytes = readFileSync(join(testdata, `${name}.webm`));
  const { chunks } = JSON.parse(readFileSync(join(testdata, `${name}.json`)));
  let at = 0;
  return { bytes, blobs: chunks.map((length) => new Blob([bytes.subarray(at, (at += length))])) };
}

const chromium = load("chromium-23b-stop-at-60ms");
const firefox = load("firefox-08-pause-vp8opus-ts500");
const restarted = load("firefox-24-same-recorder-restart");
const second = restarted.bytes.indexOf(Buffer.from("1a45dfa3", "hex"), 1);

/** Lets everything happen that can. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Time for what must not happen. */
const wait = () => new Promise((resolve) => setTimeout(resolve, 300));

class Replay extends EventTarget {
  state = "inactive";
  mimeType = "";
  stops = 0;

  /** What stop() is answered with. */
  ending = [];

  start() {
    this.state = "recording";
    return this.play(["start"]);
  }

  stop() {
    this.stops++;
    this.state = "inactive";
    turn().then(() => this.play(this.ending));
  }

  /** Dispatches events by name, and Blobs as data, each in a task of its own. */
  async play(events) {
    for (const what of events) {
      const event = new Event(what instanceof Blob ? "dataavailable" : what);
      if (what instanceof Blob) event.data = what;
      if (what === "error") event.error = new DOMException("Tracks in MediaStream were removed.", "InvalidModificationError");
      this.dispatchEvent(event);
      await turn();
    }
  }
}

/** How many listeners a recorder has. */
function listeners(recorder) {
  return ["start", "dataavailable", "error", "stop"].reduce((n, type) => n + getEventListeners(recorder, type).length, 0);
}

const empty = new Blob([]);

async function whole(recording) {
  const segments = [];
  for await (const segment of recording.segments()) segments.push(segment);
  return Buffer.concat(await Promise.all(segments.map((s) => s.bytes())));
}

describe("a recording that is attached finishes by itself", () => {
  const cases = [
    {
      name: "after a recorder that was stopped, with blobs of zero bytes",
      bytes: firefox.bytes,
      async play(recorder) {
        await recorder.start();
        await recorder.play([empty, ...firefox.blobs.slice(0, -1), empty]);
        recorder.ending = [firefox.blobs.at(-1), empty, "stop"];
        recorder.stop();
      },
    },
    {
      name: "after the last blob, when that comes after stop, as in Firefox when the tracks have ended",
      bytes: firefox.bytes,
      async play(recorder) {
        await recorder.start();
        await recorder.play(firefox.blobs.slice(0, -1));
        recorder.state = "inactive";
        await recorder.play([empty, "stop", firefox.blobs.at(-1)]);
      },
    },
    {
      name: "after a recorder that was stopped at once, as in both browsers",
      bytes: chromium.bytes,
      async play(recorder) {
        recorder.state = "inactive";
        await recorder.play(["start", ...chromium.blobs, "stop"]);
      },
    },
    {
      name: "after the second recording of a recorder that was stopped and started at once, as in Firefox",
      bytes: restarted.bytes,
      async play(recorder) {
        await recorder.start();
        const [one, two] = [restarted.bytes.subarray(0, second), restarted.bytes.subarray(second)];
        await recorder.play(["start", new Blob([one]), "stop"]); // the other start
        await wait();
        recorder.ending = [new Blob([two]), "stop"];
        recorder.stop();
      },
    },
  ];
  for (const { name, bytes, play } of cases) {
    test(name, async () => {
      const recorder = new Replay();
      const recording = Recording.attach(recorder);
      const [read] = await Promise.all([whole(recording), play(recorder)]);
      assert.ok(read.equals(bytes));
      const report = await recording.finished;
      assert.deepEqual([report.bytes, report.dropped], [bytes.length, []]);
      assert.equal(listeners(recorder), 0);
    });
  }
});

test("what is saved when the recorder has stopped has all of it", async () => {
  for (const { bytes, blobs } of [firefox, load("chromium-noalpha-03-vp8opus-ts250")]) {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    let saved;
    recorder.addEventListener("stop", () => (saved = recording.seekable()));
    await recorder.start();
    recorder.ending = [blobs.at(-1), "stop"];
    await recorder.play(blobs.slice(0, -1));
    recorder.stop();
    await recording.finished;
    assert.deepEqual(blocksOf(Buffer.from(await (await saved).arrayBuffer())), blocksOf(bytes));
  }
});

describe("finish", () => {
  test("stops the recorder and waits for what it delivers", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    await recorder.start();
    recorder.ending = [...firefox.blobs, "stop"];
    const report = await recording.finish();
    assert.deepEqual([recorder.stops, report.bytes, listeners(recorder)], [1, firefox.bytes.length, 0]);
    assert.equal(await recording.finish(), report);
    assert.equal(recorder.stops, 1);
  });

  test("waits for what a recorder delivers that has just been stopped", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    await recorder.start();
    recorder.stop();
    const finished = recording.finish();
    await wait();
    await recorder.play([...firefox.blobs, "stop"]);
    assert.equal((await finished).bytes, firefox.bytes.length);
    assert.equal(recorder.stops, 1);
  });

  test("waits for a recorder that was started and stopped just before", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    const finished = recording.finish();
    await recorder.play(["start"]);
    await wait();
    await recorder.play([...chromium.blobs, "stop"]);
    assert.equal((await finished).bytes, chromium.bytes.length);
  });

  test("is rejected when the recorder was never started", async () => {
    await assert.rejects(Recording.attach(new Replay()).finish(), { code: "empty" });
  });

  test("alone ends a recording whose recorder restarts", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder, { restarts: true });
    for (const part of [restarted.bytes.subarray(0, second), restarted.bytes.subarray(second)]) {
      await recorder.start();
      recorder.state = "inactive";
      await recorder.play([new Blob([part]), "stop"]);
      await wait();
    }
    const report = await recording.finish();
    assert.deepEqual([report.recordings.length, report.bytes, recorder.stops], [2, restarted.bytes.length, 0]);
  });
});

describe("a recorder that fails", () => {
  const says = /recorder stopped by itself: InvalidModificationError: Tracks in MediaStream were removed\./;

  test("is in the report, beside all that it delivers", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    await recorder.start();
    await recorder.play(firefox.blobs.slice(0, -1));
    recorder.state = "inactive";
    await recorder.play(["error", firefox.blobs.at(-1), "stop"]);
    const { error, bytes, dropped } = await recording.finished;
    assert.deepEqual([error.code, bytes, dropped], ["recorder", firefox.bytes.length, []]);
    assert.match(error.message, says);
    assert.deepEqual(blocksOf(Buffer.from(await (await recording.seekable()).arrayBuffer())), blocksOf(firefox.bytes));
    assert.equal(listeners(recorder), 0);
  });

  test("is why there is nothing, though it never says that it has stopped", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    await recorder.start();
    recorder.state = "inactive";
    await recorder.play(["error"]);
    await assert.rejects(recording.finished, { name: "WebmendError", code: "recorder", message: says });
  });

  test("does not hide what was wrong with the stream before", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder, { strict: true });
    await recorder.start();
    await recorder.play([...firefox.blobs.slice(0, 3), new Blob([new Uint8Array(1000)])]);
    while (!recording.report.error) await turn();
    recorder.state = "inactive";
    await recorder.play(["error", "stop"]);
    assert.equal((await recording.finished).error.code, "invalid-id");
  });
});

test("a recording that is attached too late says when to attach", async () => {
  const recorder = new Replay();
  await recorder.start();
  await recorder.play(firefox.blobs.slice(0, 3));
  const recording = Recording.attach(recorder);
  recorder.ending = ["stop"];
  await recorder.play(firefox.blobs.slice(3));
  recorder.stop();
  await assert.rejects(recording.finished, { name: "WebmendError", code: "missing", message: /has no header before it.*\. Attach to the recorder before it starts, or push its stored header first/ });
  assert.match(recording.report.error.message, /Attach to the recorder/);

  const header = new Recording();
  await header.pushChunk(firefox.bytes);
  const late = Recording.attach(recorder, { header: header.takeHeader() });
  await recorder.start();
  recorder.ending = ["stop"];
  await recorder.play(firefox.blobs.slice(3));
  recorder.stop();
  assert.ok((await late.finished).recordings[0].clusters > 0);
});

describe("a recorder is let go of", () => {
  test("when the recording is closed, and goes on", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    await recorder.start();
    recording.close();
    await assert.rejects(recording.finished, { code: "finished" });
    assert.deepEqual([listeners(recorder), recorder.state, recorder.stops], [0, "recording", 0]);
  });

  test("when the signal says so, whose reason the recording then fails with", async () => {
    const recorder = new Replay();
    const controller = new AbortController();
    const recording = Recording.attach(recorder, { signal: controller.signal });
    const read = recording.segments().getReader().read();
    await recorder.start();
    const finish = recording.finish();
    const reason = new Error("the user has left");
    controller.abort(reason);
    for (const promise of [recording.finished, finish, read, recording.finish()]) await assert.rejects(promise, reason);
    assert.equal(listeners(recorder), 0);
    assert.throws(() => Recording.attach(recorder, { signal: controller.signal }), reason);
    assert.equal(listeners(recorder), 0);
  });
});

describe("a recorder of another container", () => {
  const advice = (mimeType) => (error) => {
    assert.ok(error instanceof WebmendError);
    assert.equal(error.code, "not-webm");
    assert.ok(error.message.endsWith(`give MediaRecorder the mimeType ${mimeType}`), error.message);
    return true;
  };

  for (const [mimeType, wanted] of [["video/mp4;codecs=avc1", "video/webm"], ["audio/mp4", "audio/webm"], ["audio/ogg; codecs=opus", "audio/webm"]]) {
    test(`is refused when it says ${mimeType}`, () => {
      const recorder = new Replay();
      recorder.mimeType = mimeType;
      assert.throws(() => Recording.attach(recorder), (error) => error.message.includes(mimeType) && advice(wanted)(error));
      assert.equal(listeners(recorder), 0);
    });
  }

  test("is refused when it says so once it has started", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    recorder.mimeType = "video/mp4";
    recorder.start();
    await assert.rejects(recording.finished, advice("video/webm"));
    await assert.rejects(recording.segments().getReader().read(), advice("video/webm"));
    assert.equal(listeners(recorder), 0);
  });

  test("is refused at its first blob, if that is what tells", async () => {
    const recorder = new Replay();
    const recording = Recording.attach(recorder);
    await recorder.start();
    await recorder.play([new Blob(["\0\0\0\x1cftypmp42\0\0\0\0mp42mp41isomavc1"])]);
    await assert.rejects(recording.finished, { code: "not-webm", message: /is MP4, not WebM: give MediaRecorder the mimeType/ });
    assert.equal(listeners(recorder), 0);
  });

  for (const mimeType of ["", "video/webm", 'video/webm; codecs="vp8, opus"', "audio/webm;codecs=opus", "video/x-matroska;codecs=avc1"]) {
    test(`is not one that says ${mimeType || "nothing"}`, () => {
      const recorder = new Replay();
      recorder.mimeType = mimeType;
      Recording.attach(recorder).close();
    });
  }
});
