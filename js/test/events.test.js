// What recordings tell as it happens, and how they end where they go out of scope.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isSupported, Recording } from "../dist/index.js";
import { inBoth } from "./carriers.js";

const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;

function load(name) {
  const bytes = readFileSync(`${testdata}${name}.webm`);
  const { chunks } = JSON.parse(readFileSync(`${testdata}${name}.json`));
  let at = 0;
  return { bytes, chunks: chunks.map((length) => bytes.subarray(at, (at += length))) };
}

const { bytes, chunks } = load("firefox-08-pause-vp8opus-ts500");

/** Resolves when all timers that are due have fired. */
const task = () => new Promise((resolve) => setTimeout(resolve, 5));

/** The events of a recording, each with what was known then. */
function listen(recording) {
  const events = [];
  for (const type of ["change", "damage", "finish"]) {
    recording.addEventListener(type, ({ detail }) => events.push({ type, detail, duration: recording.duration, bytes: recording.report.bytes }));
  }
  return events;
}

const types = (events) => events.map((e) => e.type);

inBoth(() => {
  describe("a recording", () => {
    test("says when there is more, and when it is finished", async () => {
      const recording = new Recording();
      const events = listen(recording);
      for (const chunk of chunks) {
        await recording.pushChunk(chunk);
        await task();
        assert.deepEqual([events.at(-1).type, events.at(-1).bytes], ["change", recording.report.bytes]);
      }
      assert.ok(new Set(events.map((e) => e.duration)).size > 3);
      const report = await recording.finish();
      await task();
      assert.deepEqual(types(events.slice(-2)), ["change", "finish"]);
      assert.deepEqual(events.at(-1).detail, report);
      const { length } = events;
      recording.close();
      await task();
      assert.equal(events.length, length);
    });

    test("says so at most once a task, however many chunks there are", async () => {
      const recording = new Recording();
      await recording.pushChunk(chunks[0]);
      await task();
      const events = listen(recording);
      let tasks = 0;
      let counting = true;
      const count = () => counting && setTimeout(() => (tasks++, count()));
      count();
      for (let at = 0; at < bytes.length; at += 100) recording.pushChunk(bytes.subarray(at, at + 100));
      await recording.finish();
      counting = false;
      assert.ok(types(events).filter((type) => type === "change").length <= tasks + 2, `${events.length} events in ${tasks} tasks`);
    });

    test("says each damage once, as soon as it is known, with what it cost", async () => {
      const recording = new Recording();
      const events = listen(recording);
      for (const [i, chunk] of chunks.entries()) {
        await recording.pushChunk(i === 5 || i === 9 ? new Uint8Array(1000) : chunk);
        await task();
      }
      const early = events.filter((e) => e.type === "damage");
      const { dropped } = await recording.finish();
      assert.ok(dropped.length >= 2 && early.length >= 1);
      assert.equal(early[0].detail.reason.code, dropped[0].reason.code);
      await task();
      assert.deepEqual(events.filter((e) => e.type === "damage").map((e) => e.detail.start), dropped.map((d) => d.start));
    });

    test("that fails or is closed says nothing, as that is for finished to tell", async () => {
      const failed = new Recording();
      const closed = new Recording();
      const events = [listen(failed), listen(closed)];
      await closed.pushChunk(bytes);
      closed.close();
      await assert.rejects(failed.finish());
      await task();
      assert.deepEqual(events.map((all) => types(all).includes("finish")), [false, false]);
    });

    test("may be closed by a listener", async () => {
      const recording = new Recording();
      recording.addEventListener("change", () => recording.close());
      await recording.pushChunk(bytes);
      await assert.rejects(recording.finished, { code: "finished" });
    });
  });
});

// In a process of its own, as Node takes what a listener of any EventTarget throws for an uncaught exception.
test("a recording is none the worse for listeners that throw", () => {
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", `
    import { readFileSync } from "node:fs";
    import { Recording } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url))};
    const thrown = new Set();
    process.on("uncaughtException", ({ message }) => thrown.add(message));
    const recording = new Recording();
    for (const type of ["change", "damage", "finish"]) {
      recording.addEventListener(type, () => {
        throw new Error(type);
      });
    }
    const bytes = readFileSync(${JSON.stringify(`${testdata}firefox-08-pause-vp8opus-ts500.webm`)});
    for (let at = 0; at < bytes.length; at += 10_000) await recording.pushChunk(at === 100_000 ? new Uint8Array(10_000) : bytes.subarray(at, at + 10_000));
    const report = await recording.finish();
    setTimeout(() => console.log(JSON.stringify([report.bytes, report.dropped.length, [...thrown].sort()])), 20);
  `]);
  assert.deepEqual(JSON.parse(said), [bytes.length, 1, ["change", "damage", "finish"]]);
});

describe("a recording that goes out of scope", () => {
  test("is finished first, by await using", async () => {
    const recording = new Recording();
    recording.pushChunk(bytes);
    const segments = recording.segments();
    await recording[Symbol.asyncDispose]();
    assert.equal((await recording.finished).bytes, bytes.length);
    await assert.rejects(recording.seekable(), { code: "finished" });
    await assert.rejects(segments.getReader().read(), { code: "finished" }); // nobody read them before
  });

  test("throws nothing there, be it empty or closed", async () => {
    const empty = new Recording();
    await empty[Symbol.asyncDispose]();
    await assert.rejects(empty.finished, { code: "empty" });
    const closed = new Recording();
    closed.close();
    await closed[Symbol.asyncDispose]();
  });
});

test("isSupported says that Node has what webmend needs, and what a runtime lacks", () => {
  assert.equal(isSupported(), true);
  for (const name of ["WebAssembly", "WritableStream"]) {
    const own = Object.getOwnPropertyDescriptor(globalThis, name);
    delete globalThis[name];
    try {
      assert.equal(isSupported(), false, name);
    } finally {
      Object.defineProperty(globalThis, name, own);
    }
  }
});
