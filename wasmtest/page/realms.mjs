// A recorder, Blobs and bytes of a frame of the same origin, which have other constructors than
// the page's. Each test throws what is wrong.

import { clip, init, join, Recording, repair } from "/dist/index.js";
import { inspect } from "/dist/inspect.js";
import { sources } from "/page/firefox-record.mjs";
import { Foreign } from "/page/foreign.mjs";

const recorded = new Uint8Array(await (await fetch("/testdata/chromium-noalpha-03-vp8opus-ts250.webm")).arrayBuffer());

function equal(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what} is ${a}; want ${b}`);
}

/** Does something with the window of a frame, which is gone once `leave` is called, or at the end. */
async function inFrame(act) {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  try {
    return await act(frame.contentWindow, () => frame.remove());
  } finally {
    frame.remove();
  }
}

const digest = async (blob) => `${blob.size} ${Array.from(new Uint8Array(await crypto.subtle.digest("SHA-1", await blob.arrayBuffer())))}`;

/** What is made of a file, which `kind` makes of bytes. */
async function made(kind) {
  const halves = [kind(recorded.subarray(0, 100_001)), kind(recorded.subarray(100_001))];
  const blobs = [
    (await repair(kind(recorded))).blob,
    (await repair(halves)).blob,
    (await join([kind(recorded), kind(recorded)])).blob,
    (await clip(kind(recorded), { start: 1, end: 2 })).blob,
  ];
  const recording = new Recording();
  for (const half of halves) recording.pushChunk(half);
  await recording.finish();
  blobs.push(await recording.seekable());
  const header = await recording.takeHeader().bytes();
  const joined = new Recording({ header: kind(header) });
  joined.pushChunk(halves[1]);
  const { bytes, dropped } = await joined.finish();
  const { elements } = await inspect(halves);
  return { blobs: await Promise.all(blobs.map(digest)), bytes, dropped, elements };
}

/** Has a frame's recorder record for a second, and says what it delivered beside what came of it. */
async function attached(leaves) {
  await inFrame(async (frame, leave) => {
    const { stream, end } = await sources({ canvas: true });
    const recorder = new frame.MediaRecorder(stream, { mimeType: "video/webm" });
    const blobs = [];
    recorder.addEventListener("dataavailable", ({ data }) => blobs.push(data));
    const recording = Recording.attach(recorder);
    recorder.start(100);
    setTimeout(() => recorder.stop(), 1000);
    const report = await recording.finished;
    end();
    equal(blobs.some((blob) => blob instanceof Blob), false, "whether a Blob is the page's");
    equal([report.bytes, report.dropped, report.missing], [blobs.reduce((n, { size }) => n + size, 0), [], []], "the report");
    const { blob } = await repair(blobs);
    if (leaves) leave();
    equal(await digest(await recording.seekable()), await digest(blob), "the file");
  });
}

const kinds = {
  Blobs: (frame) => (bytes) => new frame.Blob([bytes]),
  ArrayBuffers: (frame) => (bytes) => new frame.Uint8Array(bytes).buffer,
  "typed arrays": (frame) => (bytes) => new frame.Uint8Array(bytes),
};

/** Of chunks that are Blobs of another implementation, one cannot be read: that alone is left out. */
async function leftOut() {
  const length = Math.ceil(recorded.length / 20);
  const recording = new Recording();
  const codes = [];
  for (let i = 0; i < 20; i++) {
    const chunk = new Foreign(recorded.subarray(i * length, (i + 1) * length), i === 10);
    codes.push(await recording.pushChunk(chunk).then(() => "", ({ code, offset }) => `${code} at ${offset}`));
  }
  equal(codes.filter(Boolean), [`read at ${10 * length}`], "what is rejected");
  const { bytes, error, dropped } = await recording.finish();
  equal([bytes, error, dropped.map((d) => d.reason.code)], [recorded.length, null, ["read"]], "the report");
  equal([dropped[0].start <= 10 * length, dropped[0].end >= 11 * length], [true, true], "whether all of it is in what is dropped");
  const clusters = recording.takeClusters();
  equal([clusters.at(0).start < dropped[0].start, clusters.at(-1).end], [true, recorded.length], "what is there before and after it");
}

export const tests = {};
for (const worker of [false, true]) {
  const where = worker ? "in a worker" : "in the page";
  const begin = () => init({ worker });
  tests[`a recorder of a frame is attached to, ${where}`] = () => begin().then(() => attached(false));
  tests[`what it recorded outlives its frame, ${where}`] = () => begin().then(() => attached(true));
  tests[`a Blob of another implementation that cannot be read is left out, and no other, ${where}`] = () => begin().then(leftOut);
  for (const [name, of] of Object.entries(kinds)) {
    tests[`${name} of a frame are read as the page's own, ${where}`] = async () => {
      await begin();
      const want = await made((bytes) => new Blob([bytes]));
      await inFrame(async (frame) => equal(await made(of(frame)), want, `what is made of ${name}`));
    };
  }
}
tests["a module that a frame compiled is one"] = () =>
  inFrame(async (frame) => {
    const { init, Recording } = await import("/dist/index.js?module-of-a-frame"); // as if loaded for the first time
    for (const wasm of [await frame.WebAssembly.compileStreaming(fetch("/dist/webmend.wasm")), frame.fetch("/dist/webmend.wasm"), new frame.URL("/dist/webmend.wasm", location)]) {
      await init({ wasm });
      const recording = new Recording();
      recording.pushChunk(recorded);
      equal((await recording.finish()).dropped, [], "what is dropped");
    }
  });
