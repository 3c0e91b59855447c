// Recordings that keep a copy on disk: what is found of them when they, or their
// pages, are gone. Each test throws what is wrong, and leaves nothing on disk.

import { init, Recording, repair, WebmendError } from "/dist/index.js";
import { Foreign } from "/page/foreign.mjs";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves to what the condition resolves to when that is true, and rejects when a minute is over. */
export async function until(condition) {
  for (let tries = 3000; tries > 0; tries--) {
    const value = await condition();
    if (value) return value;
    await wait(20);
  }
  throw new Error(`it waits for ${condition}`);
}

export function equal(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what} is ${a}; want ${b}`);
}

export const same = async (blob, bytes, what) => {
  const got = new Uint8Array(await blob.arrayBuffer());
  if (got.length !== bytes.length || got.some((byte, i) => byte !== bytes[i])) throw new Error(`${what}: ${got.length} bytes are not the ${bytes.length}`);
};

export const recorded = new Uint8Array(await (await fetch("/testdata/chromium-noalpha-03-vp8opus-ts250.webm")).arrayBuffer());

/** The recording in chunks, and some bytes of its end left out. */
export function chunks(count = 20, without = 0) {
  const all = [];
  const length = Math.ceil(recorded.length / count);
  for (let at = 0; at < recorded.length - without; at += length) all.push(new Blob([recorded.subarray(at, Math.min(at + length, recorded.length - without))], { type: "video/webm" }));
  return all;
}

/** The one recording that is left. */
export async function only() {
  const [left, ...others] = await Recording.recoverable();
  equal([left?.size > 0, others.length], [true, 0], "what is left");
  return left;
}

export async function nothingLeft() {
  equal((await Recording.recoverable()).map((r) => r.name), [], "what is left");
}

/** Does something where a property of an object is another. */
export async function withOther(object, name, value, act) {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value, configurable: true, writable: true });
  try {
    return await act();
  } finally {
    if (before) Object.defineProperty(object, name, before);
    else delete object[name];
  }
}

const refuse = () => Promise.reject(new DOMException("not in this test", "SecurityError"));

/** Does something where there is no origin private file system. */
export const withoutFiles = (act) => withOther(navigator.storage, "getDirectory", refuse, act);

/** A recording with a copy on disk, and what it warns of. */
export function spooled(options = {}, Class = Recording) {
  const warnings = [];
  const recording = new Class({ ...options, spool: { name: "a name", onWarning: (warning) => warnings.push(warning), ...options.spool } });
  return { recording, warnings };
}

export const codes = (warnings) => warnings.map((warning) => [warning instanceof WebmendError, warning.code]);

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());

/** A chunk as a Blob of another implementation. */
const foreign = async (chunk) => new Foreign(await bytesOf(chunk));

/** A recording that was closed is found, is what was pushed, and can be deleted. */
export async function keeps({ kind = (chunk) => chunk, ...options } = {}) {
  const before = Date.now();
  const { recording, warnings } = spooled(options);
  const pushed = await Promise.all(chunks().map(kind));
  await Promise.all(pushed.map((chunk) => recording.pushChunk(chunk)));
  await recording.finish();
  await nothingLeft();
  recording.close();
  const left = await only();
  equal([left.name, left.size, left.mimeType, left.blob().type], ["a name", recorded.length, "video/webm", "video/webm"], "what is known of it");
  if (!(left.begun >= before && left.begun <= Date.now())) throw new Error(`it was begun at ${left.begun}`);
  await same(left.blob(), recorded, "what was kept");
  const { blob, report } = await left.repair();
  equal(report, (await repair(new Blob([recorded]))).report, "its report");
  await same(blob, new Uint8Array(await (await repair(new Blob([recorded]))).blob.arrayBuffer()), "its file");
  await left.delete();
  await left.delete();
  await nothingLeft();
  equal(codes(warnings), [], "its warnings");
}

export const tests = {
  "a recording that was closed is kept as it was pushed until it is deleted": () => keeps(),

  "so is one that keeps no media": () => keeps({ keep: false }),

  async "so is one that a worker reads"() {
    await init({ worker: true });
    try {
      await keeps();
    } finally {
      await init({ worker: false });
    }
  },

  "so is one in IndexedDB, where there are no files": () => withoutFiles(keeps),

  "so is one whose chunks are Blobs of another implementation": () => keeps({ kind: foreign }),

  "so is one of such Blobs in IndexedDB": () => withoutFiles(() => keeps({ kind: foreign })),

  async "where such a Blob cannot be read, the others are kept"() {
    const { recording, warnings } = spooled();
    const all = chunks();
    const pushed = await Promise.all(all.map(async (chunk, i) => new Foreign(await bytesOf(chunk), i === 10)));
    const results = await Promise.allSettled(pushed.map((chunk) => recording.pushChunk(chunk)));
    equal(results.map((r) => r.reason?.code).filter(Boolean), ["read"], "what is rejected");
    recording.close();
    const left = await only();
    await same(left.blob(), await bytesOf(new Blob(all.toSpliced(10, 1))), "what was kept");
    await left.delete();
    await nothingLeft();
    equal(codes(warnings), [], "its warnings");
  },

  async "so is one in IndexedDB, where a policy forbids the worker"() {
    const forbidden = class {
      constructor() {
        throw new DOMException("not in this test", "SecurityError");
      }
    };
    await withOther(globalThis, "Worker", forbidden, keeps);
  },

  async "where there is no storage there is a warning, and the recording goes on in memory"() {
    await withoutFiles(() =>
      withOther(indexedDB.constructor.prototype, "open", () => { throw new DOMException("not in this test", "SecurityError"); }, async () => {
        const { recording, warnings } = spooled();
        for (const chunk of chunks()) await recording.pushChunk(chunk);
        equal((await recording.finish()).bytes, recorded.length, "what was taken");
        if (!((await recording.seekable()).size > 0)) throw new Error("there is no file");
        equal(codes(warnings), [[true, "spool"]], "its warnings");
        await recording.discard();
        await nothingLeft();
      }),
    );
  },

  async "where there are no locks there is a warning too, as nothing tells when a recording is over"() {
    await withOther(navigator, "locks", undefined, async () => {
      const { recording, warnings } = spooled();
      for (const chunk of chunks()) await recording.pushChunk(chunk);
      await recording.finish();
      equal(codes(warnings), [[true, "spool"]], "its warnings");
      if (!warnings[0].message.includes("secure context")) throw new Error(warnings[0].message);
      recording.close();
    });
    await nothingLeft();
  },

  async "without a callback warnings go to the console"() {
    const said = [];
    await withOther(navigator, "locks", undefined, () =>
      withOther(console, "warn", (warning) => said.push(warning), async () => {
        const recording = new Recording({ spool: true });
        await recording.pushChunk(new Blob([recorded]));
        recording.close();
      }),
    );
    equal(codes(said), [[true, "spool"]], "what the console says");
  },

  async "discard deletes what is on disk, before or after close"() {
    const { recording: one } = spooled();
    for (const chunk of chunks()) one.pushChunk(chunk);
    await one.discard();
    await nothingLeft();
    const { recording: other } = spooled();
    for (const chunk of chunks()) await other.pushChunk(chunk);
    other.close();
    await other.discard();
    await nothingLeft();
    await new Recording().discard();
  },

  async "a recording without a chunk leaves nothing"() {
    const { recording } = spooled();
    recording.close();
    await nothingLeft();
  },

  async "a name or a type of any length does not keep a recording from being found"() {
    const { recording } = spooled({ spool: { name: "\u0001\n".repeat(1e6) } });
    await recording.pushChunk(new Blob([recorded], { type: `video/webm;codecs=${"x".repeat(5000)}` }));
    recording.close();
    const left = await only();
    equal([left.name, left.mimeType.length], ["\u0001\n".repeat(500), 1000], "the name and the length of the type");
    await same(left.blob(), recorded, "what was kept");
    await left.delete();
  },

  async "several that are left are found, oldest first, wherever they are"() {
    const names = ["one", "two", "three"];
    for (const name of names) {
      const keep = async () => {
        const { recording } = spooled({ spool: { name } });
        await recording.pushChunk(new Blob([recorded]));
        recording.close();
        await until(async () => (await Recording.recoverable()).some((left) => left.name === name));
      };
      await (name === "two" ? withoutFiles(keep) : keep());
    }
    const left = await Recording.recoverable();
    equal(left.map((r) => r.name), names, "what is left");
    equal(new Set(left.map((r) => r.id)).size, 3, "the number of their ids");
    await left[1].delete();
    equal((await Recording.recoverable()).map((r) => r.name), ["one", "three"], "what is left");
    await Promise.all(left.map((r) => r.delete()));
    await nothingLeft();
  },

  async "chunks with numbers are kept in their order"() {
    const { recording } = spooled();
    const all = chunks().map((chunk, sequence) => ({ chunk, sequence }));
    for (const { chunk, sequence } of [...all.slice(3).reverse(), ...all]) await recording.pushChunk(chunk, { sequence });
    recording.close();
    const left = await only();
    await same(left.blob(), recorded, "what was kept");
    await left.delete();
  },

  async "finish waits until chunks that waited for others are kept"() {
    const { recording } = spooled();
    const all = chunks();
    for (const sequence of [0, 1, 3]) await recording.pushChunk(all[sequence], { sequence });
    await recording.finish();
    recording.close();
    const left = await only();
    equal(left.size, all[0].size + all[1].size + all[3].size, "what was kept");
    await left.delete();
  },

  async "a recording that is not WebM is kept all the same"() {
    const { recording } = spooled();
    const bytes = new TextEncoder().encode("\0\0\0\x1cftypmp42\0\0\0\0mp42mp41isomavc1");
    const error = await recording.pushChunk(bytes).catch((error) => error);
    equal(error?.code, "not-webm", "the error");
    recording.close();
    await until(async () => (await Recording.recoverable()).length > 0); // the chunk is refused before the script that keeps it has come
    const left = await only();
    await same(left.blob(), bytes, "what was kept");
    equal((await left.repair().catch((error) => error)).code, "not-webm", "the error of repair");
    await left.delete();
  },

  async "a recording whose module cannot be loaded is kept all the same"() {
    const { init, Recording } = await import("/dist/index.js?without-a-module"); // as if loaded for the first time
    equal((await init({ wasm: new Uint8Array(1) }).catch((error) => error)).code, "load", "the error");
    const { recording } = spooled({}, Recording);
    for (const chunk of chunks()) equal((await recording.pushChunk(chunk).catch((error) => error)).code, "load", "the error");
    recording.close();
    const left = await only();
    await same(left.blob(), recorded, "what was kept");
    await left.repair();
    await left.delete();
  },

  async "a header that was given is kept in front"() {
    const { recording: first } = spooled({ spool: undefined });
    await first.pushChunk(new Blob([recorded]));
    const header = first.takeHeader();
    const { recording } = spooled({ header });
    await recording.pushChunk(recorded.subarray(recorded.length >> 1));
    recording.close();
    first.close();
    for (const left of await Recording.recoverable()) {
      if (left.size < recorded.length) equal((await left.repair()).report.recordings.length, 1, "its recordings");
      await left.delete();
    }
  },

  async "when there is no space there is a warning, no chunk is lost, and what waits is kept once there is"() {
    await withoutFiles(async () => {
      const { recording, warnings } = spooled();
      const all = chunks();
      for (const chunk of all.slice(0, 5)) await recording.pushChunk(chunk);
      const full = () => {
        throw new DOMException("not in this test", "QuotaExceededError");
      };
      await withOther(IDBObjectStore.prototype, "put", full, async () => {
        for (const chunk of all.slice(5, 10)) await recording.pushChunk(chunk);
      });
      equal(codes(warnings), [[true, "spool"]], "its warnings");
      equal(warnings[0].cause.name, "QuotaExceededError", "the cause");
      for (const chunk of all.slice(10)) await recording.pushChunk(chunk);
      equal((await recording.finish()).dropped, [], "what is lost");
      recording.close();
      const left = await only();
      await same(left.blob(), recorded, "what was kept");
      await left.delete();
    });
  },

  async "a warning comes before IndexedDB has no space"() {
    const estimate = async () => ({ quota: 100 << 20, usage: 90 << 20 });
    await withoutFiles(() =>
      withOther(navigator.storage, "estimate", estimate, async () => {
        const { recording, warnings } = spooled();
        for (const chunk of chunks()) await recording.pushChunk(chunk);
        equal(codes(warnings), [[true, "low-space"]], "its warnings");
        recording.close();
        const left = await only();
        await same(left.blob(), recorded, "what was kept");
        await left.delete();
      }),
    );
  },

  async "what another page records is left alone until that page is gone"() {
    const frame = document.createElement("iframe");
    frame.src = "/page/";
    const loaded = new Promise((resolve) => (frame.onload = resolve));
    document.body.append(frame);
    await loaded;
    frame.contentWindow.chunks = await Promise.all(chunks(20, 1000).map((chunk) => chunk.arrayBuffer().then((buffer) => new Uint8Array(buffer))));
    await frame.contentWindow.eval(`import("/dist/index.js").then(async ({ Recording }) => {
      window.recording = new Recording({ spool: { name: "in a frame" } });
      for (const chunk of chunks) await recording.pushChunk(chunk);
    })`);
    await nothingLeft();
    frame.remove();
    await until(async () => (await Recording.recoverable()).length > 0);
    const left = await only();
    await same(left.blob(), recorded.subarray(0, recorded.length - 1000), "what was kept");
    await until(() => left.delete().then(() => true, () => false)); // while the browser ends the frame's worker
    await nothingLeft();
  },
};

/**
 * Records for good, and uploads each chunk that is safe by its number. Resolves when there
 * are several clusters of them.
 */
export async function record(name, { microphone = false, worker = false, files = true } = {}) {
  await init({ worker });
  if (!files) navigator.storage.getDirectory = refuse;
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d");
  let n = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${7 * ++n} 80% 60%)`;
    context.fillRect((5 * n) % 300, 40, 100, 100);
  }, 40);
  const stream = canvas.captureStream();
  if (microphone) stream.addTrack((await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0]);
  const recorder = new MediaRecorder(stream, { mimeType: `video/webm;codecs=vp8${microphone ? ",opus" : ""}`, videoKeyFrameIntervalDuration: 500 });
  const recording = new Recording({ spool: { name } });
  let pushed = 0;
  let safe = 0;
  let uploads = Promise.resolve();
  recorder.ondataavailable = async ({ data }) => {
    const number = pushed++;
    await recording.pushChunk(data);
    await (uploads = uploads.then(() => fetch(`/upload/${name}/${number}`, { method: "POST", body: data })));
    safe++;
  };
  recorder.start(100);
  globalThis.kept = [...(globalThis.kept ?? []), recorder, recording];
  await until(() => safe > 20 && recording.report.recordings[0]?.clusters > 2);
}

/** What is left of recordings: uploads it and a file of it, and deletes it. */
export async function recover() {
  const all = [];
  for (const left of await until(async () => { const found = await Recording.recoverable(); return found.length > 0 && found; })) {
    const { name, size, mimeType } = left;
    const { blob, report } = await left.repair();
    for (const [what, body] of Object.entries({ stream: left.blob(), file: blob })) await fetch(`/upload/${name}/${what}`, { method: "POST", body });
    all.push({ name, size, mimeType, duration: report.recordings[0].duration });
    await left.delete();
  }
  await nothingLeft();
  return all;
}

/** Makes a recording that nothing refers to. */
export async function forget() {
  const { recording } = spooled();
  await recording.pushChunk(new Blob([recorded]));
}

/** Pushes more than there is space for. */
export async function fill() {
  const { recording, warnings } = spooled();
  const pushed = Array(20).fill(recorded);
  for (const bytes of pushed) await recording.pushChunk(new Blob([bytes]));
  const { dropped, bytes, recordings } = await recording.finish();
  recording.close();
  const left = await only();
  const all = new Uint8Array(await new Blob(pushed).arrayBuffer());
  await same(left.blob(), all.subarray(0, left.size), "what was kept");
  await left.delete();
  return {
    codes: warnings.map((w) => w.code), causes: warnings.map((w) => w.cause?.name ?? ""),
    pushed: all.length, bytes, recordings: recordings.length, dropped: dropped.length, left: left.size,
  };
}
