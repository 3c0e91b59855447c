// How the npm package behaves in a page. Each test throws what is wrong.

let loads = 0;

/** The package, as if loaded for the first time. */
const load = (folder = "dist") => import(`/${folder}/index.js?${++loads}`);

const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const recorded = await bytesOf("/testdata/chromium-noalpha-03-vp8opus-ts250.webm");

/** Pieces of sizes that repeat. */
function cut(bytes, sizes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += pieces.at(-1).length) pieces.push(bytes.subarray(at, at + sizes[pieces.length % sizes.length]));
  return pieces;
}

function equal(got, want, what) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what} is ${JSON.stringify(got)}; want ${JSON.stringify(want)}`);
}

async function identical(parts, want) {
  const got = new Uint8Array(await new Blob(parts.map((p) => p.blob())).arrayBuffer());
  equal(got.length, want.length, "the length of header and clusters");
  const at = got.findIndex((byte, i) => byte !== want[i]);
  equal(at, -1, "the first byte that differs");
}

async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was not rejected");
}

export const tests = {
  async "Blobs of different sizes pushed without waiting are split in the order of the calls"() {
    const { Recording } = await load();
    const recording = new Recording();
    for (const piece of cut(recorded, [400_000, 1, 0, 70_000, 17])) recording.pushChunk(new Blob([piece]));
    await recording.finish();
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "Blobs and bytes pushed in turn are split in the order of the calls"() {
    const { Recording } = await load();
    const recording = new Recording();
    cut(recorded, [100_000, 10]).forEach((piece, i) => recording.pushChunk(i % 2 ? piece : new Blob([piece])));
    await recording.finish();
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "an ArrayBuffer, part of an array, a DataView and other views are chunks"() {
    const { Recording } = await load();
    const wrap = [
      (piece) => piece.slice().buffer,
      (piece) => piece,
      (piece) => new DataView(piece.buffer, piece.byteOffset, piece.byteLength),
      (piece) => new Uint16Array(piece.slice(0, piece.length & ~1).buffer),
    ];
    const recording = new Recording();
    cut(recorded, [5000]).forEach((piece, i) => {
      recording.pushChunk(wrap[i % 4](piece));
      if (i % 4 === 3 && piece.length % 2) recording.pushChunk(piece.subarray(-1));
    });
    const report = await recording.finish();
    equal(report.bytes, recorded.length, "the number of bytes");
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "bytes can be written over as soon as pushChunk has returned"() {
    const { Recording } = await load();
    const recording = new Recording();
    const buffer = new Uint8Array(9999);
    for (const piece of cut(recorded, [buffer.length])) {
      buffer.set(piece);
      recording.pushChunk(buffer.subarray(0, piece.length));
      buffer.fill(0xff);
    }
    await recording.finish();
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "what is no chunk is refused, and harms nothing"() {
    const { Recording } = await load();
    const recording = new Recording();
    recording.pushChunk(recorded.subarray(0, 1000));
    for (const wrong of ["text", 17, null, undefined, [1, 2]]) {
      equal((await rejected(recording.pushChunk(wrong))).code, "invalid-argument", `the code of pushChunk(${wrong})`);
    }
    recording.pushChunk(recorded.subarray(1000));
    await recording.finish();
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "a Recording takes chunks before the module has come"() {
    const { Recording } = await load("gated");
    const recording = new Recording();
    const pushed = recording.pushChunk(new Blob([recorded]));
    equal(recording.takeHeader(), null, "the header");
    equal(recording.takeClusters(), [], "the clusters");
    equal([recording.mimeType, recording.tracks, recording.duration], ["", [], 0], "what is known");
    equal(recording.report, { bytes: 0, recordings: [], other: [], dropped: [], gaps: [], undecodable: [], unlisted: 0, missing: [], error: null }, "the report");
    await fetch("/open-the-gate", { method: "POST" });
    await pushed;
    await recording.finish();
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "takeHeader gives the header once, as soon as it is complete"() {
    const { Recording } = await load();
    const recording = new Recording();
    let header = null;
    let pushed = 0;
    for (const piece of cut(recorded.subarray(0, 1000), [1])) {
      equal(recording.takeHeader(), null, `the header after ${pushed} bytes`);
      await recording.pushChunk(piece);
      pushed++;
      if ((header = recording.takeHeader())) break;
    }
    equal(header.start, 0, "the start of the header");
    equal(pushed, header.end + 12, "what was pushed: the header, and the cluster's ID and size"); // which end it
    await identical([header], recorded.subarray(0, header.end));
    equal((await header.bytes()).length, header.end, "the length of bytes()");
    await recording.pushChunk(recorded.subarray(pushed));
    equal(recording.takeHeader(), null, "the header after the header");
    await recording.finish();
    equal(recording.takeHeader(), null, "the header after the end");
  },

  async "the last cluster comes with finish, and what is known then stays"() {
    const { Recording } = await load();
    const recording = new Recording();
    await recording.pushChunk(recorded);
    const clusters = recording.takeClusters();
    const report = await recording.finish();
    const last = recording.takeClusters();
    equal(last.length, 1, "the number of clusters at the end");
    equal(last[0].end, recorded.length, "the end of the last");
    equal(report.recordings[0].clusters, clusters.length + 1, "the number of clusters");
    equal(await recording.finish(), report, "the report when asked again");
    equal(recording.report, report, "the report");
    equal(recording.mimeType, 'video/webm; codecs="vp8,opus"', "the type");
    equal(last[0].blob().type, recording.mimeType, "the type of a Blob");
    if (!(recording.duration > 5)) throw new Error(`the duration is ${recording.duration}`);
  },

  async "a chunk after finish is rejected"() {
    const { Recording, WebmendError } = await load();
    const recording = new Recording();
    recording.pushChunk(recorded);
    const finished = recording.finish();
    const error = await rejected(recording.pushChunk(recorded));
    if (!(error instanceof WebmendError)) throw new Error(`the error is ${error}`);
    equal(error.code, "finished", "the code");
    const report = await finished;
    equal(report.bytes, recorded.length, "the number of bytes");
  },

  async "MP4 is rejected with advice to ask the recorder for WebM"() {
    const { Recording, WebmendError } = await load();
    const recording = new Recording();
    const mp4 = new TextEncoder().encode("\0\0\0\x1cftypmp42\0\0\0\0mp42mp41isomavc1");
    const error = await rejected(recording.pushChunk(new Blob([mp4])));
    if (!(error instanceof WebmendError)) throw new Error(`the error is ${error}`);
    equal([error.code, error.offset], ["not-webm", 0], "the code and offset");
    for (const word of ["MP4", "mimeType", "video/webm"]) if (!error.message.includes(word)) throw new Error(`the message is ${error.message}`);
    equal((await rejected(recording.finish())).code, "not-webm", "the code of finish");
  },

  async "nothing at all is rejected by finish"() {
    const { Recording } = await load();
    const recording = new Recording();
    recording.pushChunk(new Blob([]));
    equal((await rejected(recording.finish())).code, "empty", "the code");
  },

  async "what was complete before damage stays, and another recording after it is found"() {
    const { Recording } = await load();
    const recording = new Recording();
    const damaged = recorded.slice();
    damaged.fill(0, damaged.length >> 1);
    await recording.pushChunk(new Blob([damaged]));
    const half = [recording.takeHeader(), ...recording.takeClusters()];
    if (!(half.length > 10)) throw new Error(`${half.length} parts`);
    const { end } = half.at(-1);
    await identical(half, damaged.subarray(0, end));
    await recording.pushChunk(new Blob([recorded]));
    const { error, bytes, dropped, recordings } = await recording.finish();
    equal([error, bytes, recordings.length], [null, 2 * recorded.length, 2], "the report");
    equal(dropped.map((d) => [d.start, d.end]), [[end, recorded.length]], "what is dropped");
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "files of many clusters let the page go on meanwhile"() {
    const { clip, join } = await load();
    const { slice } = Blob.prototype;
    const { port1, port2 } = new MessageChannel();
    let all = 0;
    let most = 0; // from one turn of the page to the next
    let inTurn = 0;
    Blob.prototype.slice = function (...range) {
      all++;
      most = Math.max(most, ++inTurn);
      return slice.apply(this, range);
    };
    port1.onmessage = () => {
      inTurn = 0;
      port2.postMessage(null);
    };
    port2.postMessage(null);
    try {
      const { blob, end } = await join(Array(12).fill(new Blob([recorded])));
      const late = await clip(blob, { start: 4, end: Infinity });
      if (late.start > 4 || Math.abs(late.end - end) > 0.001) throw new Error(`the clip is from ${late.start} to ${late.end}, the whole ends at ${end}`);
    } finally {
      port1.close();
      Blob.prototype.slice = slice;
    }
    if (all < 500 || most > 150) throw new Error(`${most} of ${all} slices are made in one turn`);
  },

  async "a wrong address of the module is rejected, and a right one then works"() {
    const { Recording, WebmendError, init } = await load();
    const error = await rejected(init({ wasm: "/nowhere/webmend.wasm" }));
    if (!(error instanceof WebmendError)) throw new Error(`the error is ${error}`);
    equal(error.code, "load", "the code");
    for (const words of ["/nowhere/webmend.wasm answered 404", "init({ wasm })"]) if (!error.message.includes(words)) throw new Error(`the message is ${error.message}`);
    const lost = new Recording();
    equal((await rejected(lost.pushChunk(recorded))).code, "load", "the code of a push");
    equal((await rejected(lost.finish())).code, "load", "the code of finish");
    await init({ wasm: "/dist/webmend.wasm" });
    const recording = new Recording();
    recording.pushChunk(recorded);
    await recording.finish();
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },

  async "something that is no module is rejected"() {
    const { init } = await load();
    equal((await rejected(init({ wasm: "/dist/index.js" }))).code, "load", "the code");
    equal((await rejected(init({ wasm: new Uint8Array(100) }))).code, "load", "the code");
  },

  async "a server that has another type for .wasm serves the module all the same"() {
    for (const [folder, type] of [["plain", "text/plain"], ["parameters", "application/wasm; charset=utf-8"]]) {
      const response = await fetch(`/${folder}/webmend.wasm`);
      equal(response.headers.get("content-type"), type, "the type");
      const { Recording } = await load(folder);
      const recording = new Recording();
      recording.pushChunk(recorded);
      await recording.finish();
      await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
    }
  },

  async "a server that answers with a page instead is named, and init says where the module is"() {
    const { init } = await load("page-there");
    const { code, message } = await rejected(init());
    equal(code, "load", "the code");
    for (const words of ["/page-there/webmend.wasm is a page, not the module", "init({ wasm })"]) if (!message.includes(words)) throw new Error(`the message is ${message}`);
    await init({ wasm: "/dist/webmend.wasm" });
  },

  async "an address that cannot be fetched is named"() {
    const { init } = await load();
    const { message } = await rejected(init({ wasm: "http://127.0.0.1:1/nowhere/webmend.wasm" }));
    if (!message.includes("http://127.0.0.1:1/nowhere/webmend.wasm could not be fetched")) throw new Error(`the message is ${message}`);
  },

  async "the module can be given as bytes, a Response or compiled"() {
    const module = await bytesOf("/dist/webmend.wasm");
    for (const wasm of [module, module.buffer, fetch("/dist/webmend.wasm"), new URL("/dist/webmend.wasm", location), await WebAssembly.compile(module)]) {
      const { Recording, init } = await load("nowhere-near-the-module");
      await init({ wasm });
      const recording = new Recording();
      recording.pushChunk(recorded);
      await recording.finish();
      await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
    }
  },

  async "the script-tag build gives the same package as one global"() {
    const module = await load();
    equal(Object.keys(scriptTag).sort(), Object.keys(module).sort(), "what it has");
    const recording = new scriptTag.Recording();
    recording.pushChunk(new Blob([recorded]));
    await recording.finish();
    await identical([recording.takeHeader(), ...recording.takeClusters()], recorded);
  },
};
