// What is given that cannot be, and what comes back: each a line.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { clip, init, join, Recording, repair, Replay } from "../dist/index.js";
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
const preview = async (options) => (await recorded()).preview({}, options);

/** What attaches as a MediaRecorder does. */
const recorder = (mimeType = "") => Object.assign(new EventTarget(), { state: "inactive", mimeType, stop() {} });
const stream = Object.assign(new EventTarget(), { getTracks() {} });
const parts = async (options) => (await recorded()).parts(options).getReader().read();

const noChunk = /a chunk must be a Blob or bytes/;
const noFile = /file 1 must be a Blob, bytes, a Response, or a list of Blobs and bytes, not /;
const noJob = /option keeep is none of signal,onProgress,keepUndecodable$/;
const noSequence = /option sequence must be a number from 0 on/;
const noSignal = /option signal must be an AbortSignal object/;
const noRecorder = /attach takes a MediaRecorder/;
const noRecording = /option keeep is none of strict,header,limits,keep,spool$/;
const noSeconds = /option seconds must be a number from 0 on/;

/** What is done, the code of the error, and what its message says. */
const table = [
  ["pushChunk of nothing", () => push(), "invalid-argument", noChunk],
  ["pushChunk of null", () => push(null), "invalid-argument", noChunk],
  ["pushChunk of text", () => push("text"), "invalid-argument", noChunk],
  ["pushChunk of numbers", () => push([1, 2, 3]), "invalid-argument", noChunk],
  ["pushChunk of what was transferred", () => push(transferred), "invalid-argument", /not transferred/],
  ["pushChunk of a buffer that was transferred", () => push(transferred.buffer), "invalid-argument", /not transferred/],
  ["pushChunk with a sequence of text", () => push(bytes, { sequence: "1" }), "invalid-argument", noSequence],
  ["pushChunk with a sequence below 0", () => push(bytes, { sequence: -1 }), "invalid-argument", noSequence],
  ["pushChunk with a sequence that is no integer", () => push(bytes, { sequence: 0.5 }), "invalid-argument", /sequence must be an integer/],
  ["pushChunk with an option that there is not", () => push(bytes, { number: 1 }), "invalid-argument", /option number is none of sequence$/],
  ["repair of nothing", () => repair(), "invalid-argument", /not Undefined/],
  ["repair of null", () => repair(null), "invalid-argument", noFile],
  ["repair of an address", () => repair("recording.webm"), "invalid-argument", noFile],
  ["repair of a list of addresses", () => repair(["a.webm"]), "invalid-argument", /chunk 1 of file 1 must be a Blob or bytes/],
  ["repair of what was transferred", () => repair(transferred), "invalid-argument", noFile],
  ["repair of a Response without a file", () => repair(new Response("", { status: 404 })), "read", /answered 404/],
  ["repair with an option that there is not", () => repair(file, { keeep: true }), "invalid-argument", /option keeep is none of signal,onProgress,keepUndecodable,recording/],
  ["repair with a recording below 0", () => repair(file, { recordingIndex: -1 }), "invalid-argument", /option recordingIndex must be a number from 0 on/],
  ["repair with a signal that is none", () => repair(file, { signal: true }), "invalid-argument", noSignal],
  ["repair with an onProgress that is none", () => repair(file, { onProgress: "progress" }), "invalid-argument", /option onProgress must be a function/],
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
  ["seekable with an option that there is not", async () => (await recorded()).seekable({ keeep: true }), "invalid-argument", /option keeep is none of signal,onProgress,keepUndecodable,recordingIndex$/],
  ["seekable with a start", async () => (await recorded()).seekable({ start: 1 }), "invalid-argument", /option start is none of signal/],
  ["a join point with an end", async () => (await recorded()).joinPoint({ end: 1 }), "invalid-argument", /option end is none of signal/],
  ["seekable of a recording that there is not", async () => (await recorded()).seekable({ recordingIndex: 7 }), "no-clusters", /no such recording/],
  ["parts in an order that there is not", () => parts({ order: "random" }), "invalid-argument", /the order of parts must be "seekable" or "arrival", not random/],
  ["parts of no size", () => parts({ size: NaN }), "invalid-argument", /option size must be a number from 0 on/],
  ["parts with an option that there is not", () => parts({ sise: 1 }), "invalid-argument", /option sise is none of size,order,expectedSeconds,recording/],
  ["inspect of an address", () => inspect("recording.webm"), "invalid-argument", /the file must be a Blob/],
  ["inspect with an option that there is not", () => inspect(file, { onElement() {} }), "invalid-argument", /option onElement is none of signal,onProgress,onHeader,onElements,wasm/],
  ["inspect with a signal that is none", () => inspect(file, { signal: new EventTarget() }), "invalid-argument", noSignal],
  ["takeClusters with an option that there is not", async () => new Recording().takeClusters({ part: true }), "invalid-argument", /option part is none of partial$/],
  ["a preview of a time below 0", () => preview({ keepSeconds: -1 }), "invalid-argument", /option keepSeconds must be a number from 0 on/],
  ["a preview with a signal that is none", () => preview({ signal: { aborted: false } }), "invalid-argument", noSignal],
  ["a preview with an onError that is none", () => preview({ onError: "error" }), "invalid-argument", /option onError must be a function/],
  ["a preview with an option that there is not", () => preview({ muted: true }), "invalid-argument", /option muted is none of keepSeconds,onError,signal$/],
  ["a preview of a recording without media", () => new Recording({ keep: false }).preview({}), "not-kept", /keep: false/],
  ["init with a number", () => init({ wasm: 17 }), "invalid-argument", /option wasm must be a string or an object/],
  ["init with null for a module", () => init({ wasm: null }), "invalid-argument", /option wasm must be a string or an object/],
  ["init with a worker's name", () => init({ worker: "worker.js" }), "invalid-argument", /option worker must be a boolean/],
  ["init with an option that there is not", () => init({ wsam: "webmend.wasm" }), "invalid-argument", /option wsam is none of wasm,worker$/],
];

/** What throws at once, and what its message says. */
const atOnce = [
  ["a recording with an option that there is not", () => new Recording({ keeep: true }), noRecording],
  ["a recording with the options of attach", () => new Recording({ signal: AbortSignal.timeout(0) }), /option signal is none of strict,header/],
  ["a recording of a recorder", () => new Recording(recorder("video/webm")), /option state is none of strict,header/],
  ["a recording of text", () => new Recording("video/webm"), /option 0 is none of strict,header/],
  ["keep that is a number", () => new Recording({ keep: 1 }), /option keep must be a boolean/],
  ["keep that is null", () => new Recording({ keep: null }), /option keep must be a boolean/],
  ["strict that is text", () => new Recording({ strict: "false" }), /option strict must be a boolean/],
  ["a header that is text", () => new Recording({ header: "text" }), /option header must be a Header, Blob or bytes object/],
  ["a header that is a list", () => new Recording({ header: [1, 2, 3] }), /header must be a Blob or bytes/],
  ["a header that was transferred", () => new Recording({ header: transferred }), /header must be .* not transferred/],
  ["spool that is a name", () => new Recording({ spool: "lecture" }), /option spool must be a boolean or an object/],
  ["spool with an option that there is not", () => new Recording({ spool: { onwarning() {} } }), /option onwarning is none of name,onWarning$/],
  ["spool with a name that is none", () => new Recording({ spool: { name: 7 } }), /option name must be a string/],
  ["spool with an onWarning that is none", () => new Recording({ spool: { onWarning: true } }), /option onWarning must be a function/],
  ["limits that are a number", () => new Recording({ limits: 5 }), /option limits must be an object/],
  ["limits that are null", () => new Recording({ limits: null }), /option limits must be an object/],
  ...["headerSize", "tracks", "clusterSize", "waitingChunks"].flatMap((name) =>
    [NaN, -1, "5", null].map((value) => [`a limit ${name} of ${JSON.stringify(value)}, ${typeof value}`, () => new Recording({ limits: { [name]: value } }), new RegExp(`option ${name} must be a number from 0 on`)]),
  ),
  ["a limit that there is not", () => new Recording({ limits: { size: 5 } }), /option size is none of headerSize,tracks,clusterSize,waitingChunks$/],
  ["attach to nothing", () => Recording.attach(), noRecorder],
  ["attach to null", () => Recording.attach(null), noRecorder],
  ["attach to a stream", () => Recording.attach(stream), noRecorder],
  ["attach with an option that there is not", () => Recording.attach(recorder(), { keeep: true }), /option keeep is none of strict,header,limits,keep,spool,restarts,signal$/],
  ["attach with restarts that are a number", () => Recording.attach(recorder(), { restarts: 1 }), /option restarts must be a boolean/],
  ["attach with a limit of NaN", () => Recording.attach(recorder(), { limits: { tracks: NaN } }), /option tracks must be a number from 0 on/],
  ["attach with a header that is a list", () => Recording.attach(recorder(), { header: [] }), /header must be a Blob or bytes/],
  ...[true, "abort", {}, { aborted: false }, null, new EventTarget(), new AbortController()].map((signal) => [`attach with a signal that is ${String(signal)}`, () => Recording.attach(recorder(), { signal }), noSignal]),
  ...[NaN, -1, "10 s", null].flatMap((seconds) => [
    [`a replay of ${JSON.stringify(seconds)} seconds, ${typeof seconds}`, () => new Replay({ seconds }), noSeconds],
    [`a replay of a recorder, of ${JSON.stringify(seconds)} seconds, ${typeof seconds}`, () => Replay.attach(recorder(), { seconds }), noSeconds],
  ]),
  ["a replay with an option that there is not", () => new Replay({ second: 10 }), /option second is none of strict,header,limits,seconds$/],
  ["a replay that keeps its recording", () => new Replay({ keep: true }), /option keep is none of strict,header,limits,seconds$/],
  ["a replay of a recorder with an option that there is not", () => Replay.attach(recorder(), { spool: true }), /option spool is none of strict,header,limits,seconds,restarts,signal$/],
  ["a replay of a stream", () => Replay.attach(stream), noRecorder],
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

  for (const [what, act, message] of atOnce) test(`${what}, at once`, () => assert.throws(act, { name: "WebmendError", code: "invalid-argument", message }));

  test("pushChunk rejects, and never throws", async () => {
    for (const chunk of [undefined, null, "text", {}, transferred]) await push(chunk).catch(() => {});
    for (const options of [null, { sequence: "1" }, { number: 1 }]) await push(bytes, options).catch(() => {});
  });
});

describe("what throws leaves nothing behind", () => {
  test("no listener of a recorder", () => {
    for (const options of [{ keeep: true }, { header: [] }, { signal: true }, { signal: AbortSignal.abort() }]) {
      const attached = recorder();
      attached.addEventListener = () => assert.fail("it listens");
      for (const of of [Recording, Replay]) assert.throws(() => of.attach(attached, options), /option|header|aborted/);
    }
  });

  test("no recording that is copied to disk", async () => {
    const warned = [];
    const spool = (what) => ({ onWarning: () => warned.push(what) }); // there is no storage here
    assert.throws(() => new Recording({ spool: spool("a recording"), header: [] }));
    assert.throws(() => Recording.attach(recorder("video/mp4"), { spool: spool("of a recorder that writes something else") }), { code: "not-webm" });
    assert.throws(() => Recording.attach(recorder(), { spool: spool("with a signal that is over"), signal: AbortSignal.abort() }), { name: "AbortError" });
    const warning = await new Promise((onWarning) => new Recording({ spool: { onWarning } }).pushChunk(bytes));
    assert.deepEqual([warning.code, warned], ["spool", []]);
  });
});

describe("what is left out has a default", () => {
  test("options that are null", async () => {
    const recording = new Recording(null);
    await recording.pushChunk(bytes, null);
    await recording.finish();
    for (const made of [await recording.seekable(null), (await recording.clip(null)).blob, (await repair(file, null)).blob, (await clip(file, null)).blob, (await join([file], null)).blob]) assert.ok(made.size > 0);
    assert.ok((await inspect(file, null)).elements > 0);
    new Replay(null).close();
    Recording.attach(recorder(), null).close();
    Replay.attach(recorder(), null).close();
    await init(null);
  });

  test("a clip begins at 0 and goes to the end", async () => {
    const recording = await recorded();
    const whole = await recording.clip({ start: 0, end: Infinity });
    for (const made of [await recording.clip(), await recording.clip({ start: 0 }), await clip(file), await clip(file, { start: -1 })]) {
      assert.deepEqual([made.start, made.end, made.blob.size], [whole.start, whole.end, whole.blob.size]);
    }
  });
});
