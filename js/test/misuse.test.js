// What is given that cannot be, and what comes back: each a line.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { clip, init, join, Recording, repair } from "../dist/index.js";
import { inspect } from "../dist/inspect.js";

const bytes = readFileSync(new URL("../../webm/testdata/chromium-23b-stop-at-60ms.webm", import.meta.url));
const file = new Blob([bytes]);

const transferred = new Uint8Array(8);
structuredClone(transferred.buffer, { transfer: [transferred.buffer] });

/** A recording of all of it. */
async function recorded() {
  const recording = new Recording();
  recording.pushChunk(bytes);
  await recording.finish();
  return recording;
}
const push = (chunk, options) => new Recording().pushChunk(chunk, options);
const parts = async (options) => (await recorded()).parts(options).getReader().read();

const noChunk = /a chunk must be a Blob or bytes/;
const noFile = /file 1 must be a Blob, bytes, a Response, or a list of Blobs and bytes, not /;
const noJob = /option keeep is none of signal,onProgress,keepUndecodable/;

/** What is done, the code of the error, and what its message says. */
const table = [
  ["pushChunk of nothing", () => push(), "invalid-argument", noChunk],
  ["pushChunk of null", () => push(null), "invalid-argument", noChunk],
  ["pushChunk of text", () => push("text"), "invalid-argument", noChunk],
  ["pushChunk of numbers", () => push([1, 2, 3]), "invalid-argument", noChunk],
  ["pushChunk of what was transferred", () => push(transferred), "invalid-argument", /not transferred/],
  ["pushChunk of a buffer that was transferred", () => push(transferred.buffer), "invalid-argument", /not transferred/],
  ["pushChunk with a sequence of text", () => push(bytes, { sequence: "1" }), "invalid-argument", /sequence must be an integer from 0 on, not 1/],
  ["pushChunk with a sequence below 0", () => push(bytes, { sequence: -1 }), "invalid-argument", /sequence must be an integer from 0 on, not -1/],
  ["a header that is text", async () => new Recording({ header: "text" }), "invalid-argument", /header must be a Blob or bytes/],
  ["attach to a stream", async () => Recording.attach(new EventTarget()), "not-webm", /give MediaRecorder the mimeType video\/webm/],
  ["repair of nothing", () => repair(), "invalid-argument", /not Undefined/],
  ["repair of null", () => repair(null), "invalid-argument", noFile],
  ["repair of an address", () => repair("recording.webm"), "invalid-argument", noFile],
  ["repair of a list of addresses", () => repair(["a.webm"]), "invalid-argument", /chunk 1 of file 1 must be a Blob or bytes/],
  ["repair of what was transferred", () => repair(transferred), "invalid-argument", noFile],
  ["repair of a Response without a file", () => repair(new Response("", { status: 404 })), "read", /answered 404/],
  ["repair with an option that there is not", () => repair(file, { keeep: true }), "invalid-argument", /option keeep is none of signal,onProgress,keepUndecodable,recording/],
  ["repair with a recording below 0", () => repair(file, { recordingIndex: -1 }), "invalid-argument", /option recordingIndex is not a number from 0 on/],
  ["repair with a signal that is none", () => repair(file, { signal: true }), "invalid-argument", /option signal is not an object/],
  ["repair with an onProgress that is none", () => repair(file, { onProgress: "progress" }), "invalid-argument", /option onProgress is not a function/],
  ["join of a Blob", () => join(file), "invalid-argument", /join takes a list of files, not Blob/],
  ["join of bytes", () => join(bytes), "invalid-argument", /join takes a list of files, not Uint8Array/],
  ["join of nothing", () => join(), "invalid-argument", /join takes a list of files, not Undefined/],
  ["join of none", () => join([]), "no-clusters", /nothing to join/],
  ["join of one that is none", () => join([file, 17]), "invalid-argument", /file 2 must be .* not Number/],
  ["join with an option that there is not", () => join([file], { keeep: true }), "invalid-argument", noJob],
  ["clip from NaN", () => clip(file, { start: NaN }), "invalid-argument", /start must be a number of seconds, not NaN/],
  ["clip up to text", () => clip(file, { end: "10 s" }), "invalid-argument", /end must be a number of seconds, not 10 s/],
  ["clip from after its end", () => clip(file, { start: 2, end: 1 }), "invalid-range", /./],
  ["clip with an option that there is not", () => clip(file, { form: 1 }), "invalid-argument", /option form is none of start,end,signal/],
  ["a recording's clip from NaN", async () => (await recorded()).clip({ start: NaN, end: 1 }), "invalid-argument", /start must be a number of seconds, not NaN/],
  ["a recording's clip from after its end", async () => (await recorded()).clip({ start: 2, end: 1 }), "invalid-range", /./],
  ["seekable with an option that there is not", async () => (await recorded()).seekable({ keeep: true }), "invalid-argument", /option keeep is none of start,end,signal,onProgress,keepUndecodable,recording/],
  ["seekable of a recording that there is not", async () => (await recorded()).seekable({ recordingIndex: 7 }), "no-clusters", /no such recording/],
  ["parts in an order that there is not", () => parts({ order: "random" }), "invalid-argument", /the order of parts must be "seekable" or "arrival", not random/],
  ["parts of no size", () => parts({ size: NaN }), "invalid-argument", /option size is not a number from 0 on/],
  ["parts with an option that there is not", () => parts({ sise: 1 }), "invalid-argument", /option sise is none of size,order,expectedSeconds,recording/],
  ["inspect of an address", () => inspect("recording.webm"), "invalid-argument", /the file must be a Blob/],
  ["inspect with an option that there is not", () => inspect(file, { onElement() {} }), "invalid-argument", /option onElement is none of signal,onProgress,onHeader,onElements,wasm/],
  ["init with a number", () => init({ wasm: 17 }), "load", /could not be loaded/],
];

describe("what cannot be is an error that says what can", () => {
  for (const [what, act, code, message] of table) {
    test(what, async () => {
      await assert.rejects(async () => act(), (error) => {
        assert.deepEqual([error.name, error.code], ["WebmendError", code], error.stack);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test("pushChunk rejects, and never throws", async () => {
    for (const chunk of [undefined, null, "text", {}, transferred]) await push(chunk).catch(() => {});
  });
});

describe("what is left out has a default", () => {
  test("a clip begins at 0 and goes to the end", async () => {
    const recording = await recorded();
    const whole = await recording.clip({ start: 0, end: Infinity });
    for (const made of [await recording.clip(), await recording.clip({ start: 0 }), await clip(file), await clip(file, { start: -1 })]) {
      assert.deepEqual([made.start, made.end, made.blob.size], [whole.start, whole.end, whole.blob.size]);
    }
  });
});
