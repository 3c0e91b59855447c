// Blobs and bytes of another realm or another implementation do as the platform's own do.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { clip, init, join, Recording, repair } from "../dist/index.js";
import { inspect } from "../dist/inspect.js";
import { inBoth } from "./carriers.js";

const bytes = new Uint8Array(readFileSync(new URL("../../webm/testdata/firefox-24-same-recorder-restart.webm", import.meta.url)));

/** A Blob as node-fetch and fetch-blob have them, which the platform takes for a string where it wants a Blob. */
class Foreign {
  #bytes;
  constructor(bytes, type = "video/webm") {
    this.#bytes = bytes;
    this.type = type;
  }
  get size() {
    return this.#bytes.length;
  }
  slice(start = 0, end = this.size, type = "") {
    return new this.constructor(this.#bytes.slice(start, end), type);
  }
  async arrayBuffer() {
    return this.#bytes.slice().buffer;
  }
  get [Symbol.toStringTag]() {
    return "Blob";
  }
  static read(blob) {
    return blob.#bytes;
  }
}

/** One as jsdom has it, which only a FileReader reads. */
class OnlyForReaders extends Foreign {}
OnlyForReaders.prototype.arrayBuffer = undefined;

class FileReader {
  readAsArrayBuffer(blob) {
    queueMicrotask(() => {
      if (blob instanceof GoneForReaders) {
        this.error = gone();
        return this.onerror();
      }
      this.result = Foreign.read(blob).slice().buffer;
      this.onload();
    });
  }
}

/** The same where there is nothing to be read any more. */
const gone = () => new DOMException("it is gone", "NotReadableError");
class Gone extends Foreign {
  async arrayBuffer() {
    throw gone();
  }
}
class GoneForReaders extends OnlyForReaders {}
before(() => (globalThis.FileReader = FileReader));
after(() => delete globalThis.FileReader);

/** A value that an expression makes in another realm of a copy of `data`'s bytes. */
const elsewhere = (expression) => (data) => runInNewContext(`const own = Uint8Array.from(bytes); ${expression}`, { bytes: [...data] });

const kinds = {
  "Blobs of another implementation": (data) => new Foreign(data),
  "Blobs that only a FileReader reads": (data) => new OnlyForReaders(data),
  "typed arrays of another realm": elsewhere("own"),
  "ArrayBuffers of another realm": elsewhere("own.buffer"),
  "DataViews of another realm": elsewhere("new DataView(own.buffer)"),
  "SharedArrayBuffers": (data) => {
    const shared = new SharedArrayBuffer(data.length);
    new Uint8Array(shared).set(data);
    return shared;
  },
  "Responses": (data) => new Response(data),
};

const content = async (blob) => Buffer.from(await blob.arrayBuffer()).toString("base64");
const file = async ({ blob, start, end, report }) => ({ start, end, report, bytes: await content(blob) });

/** The bytes in pieces, each made by `kind`. */
function pieces(kind) {
  const all = [];
  for (let at = 0; at < bytes.length; at += 20_000) all.push(kind(bytes.subarray(at, at + 20_000)));
  return all;
}

/** All that takes Blobs or bytes. */
const jobs = {
  repair: async (kind) => file(await repair(kind(bytes))),
  "repair, of a promise": async (kind) => file(await repair(Promise.resolve(kind(bytes)))),
  "repair, of chunks": async (kind) => file(await repair(pieces(kind))),
  join: async (kind) => file(await join([kind(bytes), kind(bytes)])),
  "join, of what is no array": async (kind) => file(await join(new Set([kind(bytes), kind(bytes)]))),
  clip: async (kind) => file(await clip(kind(bytes), { start: 0, end: 1 })),
  inspect: async (kind) => inspect(kind(bytes)),
  "inspect, of chunks": async (kind) => inspect(pieces(kind)),
  async pushChunk(kind) {
    const recording = new Recording();
    for (const piece of pieces(kind)) recording.pushChunk(piece);
    const report = await recording.finish();
    return { report, bytes: await content(await recording.seekable()) };
  },
  async "pushChunk, in any order"(kind) {
    const recording = new Recording();
    for (const [sequence, piece] of [...pieces(kind).entries()].reverse()) recording.pushChunk(piece, { sequence });
    const report = await recording.finish();
    return { report, bytes: await content(await recording.seekable()) };
  },
  async header(kind) {
    const whole = new Recording();
    whole.pushChunk(bytes);
    await whole.finish();
    const header = kind(await whole.takeHeader().bytes());
    const recording = new Recording({ header });
    recording.pushChunk(bytes.slice(-100_000));
    return recording.finish();
  },
};

/** Pushes chunks, of which one cannot be read, and checks that only that is left out. */
async function leftOut(Kind, { keep, meanwhile, later }) {
  const chunks = pieces((data) => new Foreign(data));
  const bad = 5;
  const start = bad * 20_000;
  const end = start + 20_000;
  chunks[bad] = new Kind(bytes.subarray(start, end));
  const whole = new Recording();
  whole.pushChunk(bytes);
  const want = await whole.finish();
  const recording = new Recording({ keep });
  for (const [i, chunk] of chunks.entries()) {
    const pushed = recording.pushChunk(chunk);
    if (i === bad) meanwhile?.();
    if (i === bad && meanwhile) await pushed.catch(() => {}); // nobody is left to say it
    else if (i === bad) await assert.rejects(pushed, { name: "WebmendError", code: "read", offset: start, message: /the chunk at 100000 could not be read: .*it is gone/ });
    else await pushed;
    if (i === bad) later?.();
  }
  const report = await recording.finish();
  assert.deepEqual([report.bytes, report.error], [bytes.length, null]);
  const drop = report.dropped.find((d) => d.reason.code === "read");
  assert.ok(drop.start <= start && end <= drop.end, `it is from ${drop.start} to ${drop.end}`);
  assert.match(drop.reason.message, /the chunk at 100000 could not be read: .*it is gone/);
  assert.deepEqual(report.recordings.map((r) => r.header), want.recordings.map((r) => r.header));
  const clusters = recording.takeClusters();
  const wanted = whole.takeClusters().filter((c) => c.end <= start || c.start >= drop.end);
  assert.deepEqual(wanted.filter((c) => !clusters.some((found) => found.start === c.start && found.end === c.end)), []);
  if (keep) assert.equal((await repair(await recording.seekable())).report.recordings[0].duration, report.recordings.at(-1).duration);
}

inBoth((worker) => {
  for (const [name, Kind] of Object.entries({ "of another implementation": Gone, "that only a FileReader reads": GoneForReaders })) {
    for (const keep of [true, false]) {
      test(`a Blob ${name} that cannot be read is left out, and no other, with keep: ${keep}`, () => leftOut(Kind, { keep }));
    }
  }

  if (worker)
    for (const [keep, when] of [[true, "meanwhile"], [false, "later"]]) {
      test(`so is it when the worker ends ${when}, with keep: ${keep}`, async () => {
        const { Worker } = globalThis;
        let last;
        globalThis.Worker = class extends Worker {
          constructor(...args) {
            super(...args);
            last = this;
          }
        };
        await init({ worker: false });
        await init({ worker: true });
        const ends = () => last.onerror({ message: "not in this test", preventDefault() {} });
        await leftOut(Gone, { keep, [when]: ends });
        globalThis.Worker = Worker;
      });
    }

  for (const [name, kind] of Object.entries(kinds)) {
    describe(name, () => {
      for (const [job, act] of Object.entries(jobs)) {
        const isOfChunks = /chunk|header/i.test(job);
        if (name === "Responses" && isOfChunks) continue; // a Response is a file
        test(`do as the platform's Blobs: ${job}`, async () => assert.deepEqual(await act(kind), await act((data) => new Blob([data]))));
      }
    });
  }
});

test("a Blob of another implementation is read in pieces, and once", async () => {
  const read = [];
  class Counted extends Foreign {
    async arrayBuffer() {
      read.push(this.size);
      return super.arrayBuffer();
    }
  }
  const large = new Uint8Array(9 << 20);
  large.set(bytes);
  const recording = new Recording();
  recording.pushChunk(new Counted(large));
  await recording.finish();
  assert.deepEqual(read, [4 << 20, 4 << 20, 1 << 20]);
});

test("a header of another copy of the package is one", async () => {
  const other = await import("../dist/index.js?another-copy");
  const whole = new other.Recording();
  whole.pushChunk(bytes);
  await whole.finish();
  const recording = new Recording({ header: whole.takeHeader() });
  recording.pushChunk(bytes.slice(-100_000));
  assert.equal((await recording.finish()).recordings.length, 1);
});

test("a Response that has no file is an error that says why", async () => {
  await assert.rejects(repair(new Response("not found", { status: 404 })), { name: "WebmendError", code: "read", message: /answered 404/ });
  const used = new Response(bytes);
  await used.arrayBuffer();
  await assert.rejects(repair(used), { name: "WebmendError", code: "read" });
});
