// The package with its worker, beside the package without. Each test throws what is
// wrong.

let loads = 0;

/** The package, as if loaded for the first time. */
const load = (folder = "dist") => import(`/${folder}/index.js?worker=${++loads}`);

const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const testdata = (name) => bytesOf(`/testdata/${name}.webm`);

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function equal(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a === b) return;
  const at = [...a].findIndex((c, i) => c !== b[i]);
  throw new Error(`${what} is …${a.slice(Math.max(0, at - 100), at + 100)}…; want …${b.slice(Math.max(0, at - 100), at + 100)}…`);
}

async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was not rejected");
}

/** Workers that the page has made, and instances of the module. */
const made = { workers: [], instances: 0, faults: [] };
const OwnWorker = Worker;
globalThis.Worker = class extends OwnWorker {
  #fault = made.faults.shift(); // is asked before each message, and keeps it from the worker if it says so
  #sent = 0;

  constructor(url, options) {
    super(url, options);
    made.workers.push(String(url));
  }

  postMessage(...args) {
    if (!this.#fault?.(this, this.#sent++, args[0])) super.postMessage(...args);
  }
};
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    made.instances++;
    return new target(...args);
  },
});

/** What doing something has made of workers and instances. */
async function making(act) {
  Object.assign(made, { workers: [], instances: 0 });
  const value = await act();
  return { value, ...made };
}

const content = async (blob) => [blob.size, ...new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()))].join(" ");

/** All that comes of a recording that was finished. */
async function everything(recording, { keep = true } = {}) {
  const report = await recording.finish();
  const parts = [];
  for (let header; (header = recording.takeHeader()); ) parts.push(header);
  parts.push(...recording.takeClusters());
  const facts = [];
  for (const part of parts) facts.push({ ...part, bytes: await content(part.blob()), sized: part.sized && (await content(part.sized())) });
  const files = [];
  if (keep) {
    for (const i of report.recordings.keys()) files.push(await content(await recording.seekable({ recordingIndex: i })));
    files.push(await content((await recording.clip({ start: 0.5, end: 1.5 })).blob), await content((await recording.joinPoint()).blob));
  }
  files.push(await content(await parts.at(-1).standalone({ fromZero: true })));
  equal([recording.report, recording.tracks, recording.duration], [report, report.recordings.at(-1).tracks, report.recordings.at(-1).duration], "what stays known");
  return { report, facts, files };
}

async function split(Recording, blobs, options) {
  const recording = new Recording(options);
  for (const blob of blobs) recording.pushChunk(blob);
  return everything(recording, options);
}

/** A stream in Blobs of some length. */
function cut(bytes, length) {
  const blobs = [];
  for (let at = 0; at < bytes.length; at += length) blobs.push(new Blob([bytes.subarray(at, at + length)]));
  return blobs;
}

/** Records a picture that moves and a tone, and tells what comes. */
async function record(mimeType, ondata, until) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d");
  let n = 0;
  const draw = setInterval(() => {
    context.fillStyle = `hsl(${++n * 7} 80% 60%)`;
    context.fillRect(0, 0, 320, 240);
  }, 40);
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  const destination = audio.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  const tracks = [...canvas.captureStream().getTracks(), ...destination.stream.getTracks()];
  const recorder = new MediaRecorder(new MediaStream(tracks), { mimeType, videoKeyFrameIntervalDuration: 400 });
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.ondataavailable = ({ data }) => ondata(data);
  recorder.start(100);
  while (!until()) await wait(20);
  recorder.stop();
  await stopped;
  clearInterval(draw);
  for (const track of tracks) track.stop();
  await audio.close();
}

const realTimeout = setTimeout;

/** Does something while the clock of what waits for seconds runs ten times as fast. */
async function hurry(act) {
  globalThis.setTimeout = (f, ms, ...args) => realTimeout(f, ms < 1000 ? ms : ms / 10, ...args);
  try {
    await act();
  } finally {
    globalThis.setTimeout = realTimeout;
    made.faults = [];
  }
}

/** How a worker ends, at its nth message. */
const faults = {
  "ended by the system": (n) => (worker, i) => {
    if (i === n) worker.terminate();
    return false;
  },
  "silent": (n) => (_, i) => i >= n,
  "out of memory": (n) => (worker, i) => {
    if (i === n) worker.dispatchEvent(new ErrorEvent("error", { message: "out of memory", cancelable: true }));
    return false;
  },
  "unreadable": (n) => (worker, i) => {
    if (i === n) worker.dispatchEvent(new MessageEvent("messageerror"));
    return false;
  },
};

/** Streams in chunks, of bytes and Blobs in turns, and what comes of them in the page. */
let streams;
async function loadStreams() {
  if (streams) return streams;
  const { Recording } = await load();
  streams = [];
  for (const [name, length] of [["firefox-08-pause-vp8opus-ts500", 30_000], ["chromium-26-long-audio-nots-75s", 9000]]) {
    const bytes = await testdata(name);
    const chunks = () => cut(bytes, length).map((blob, i) => (i % 3 === 0 ? bytes.slice(i * length, (i + 1) * length) : blob));
    for (const keep of [true, false]) streams.push({ name, keep, chunks, want: await split(Recording, chunks(), { keep }) });
  }
  return streams;
}

/** Tests that recordings come out whole though workers end, all of which have the same. */
async function endsAt(name, ends, least) {
  const streams = await loadStreams();
  const { init, Recording } = await load();
  await hurry(async () => {
    const { value, workers } = await making(async () => {
      made.faults = [...ends];
      await init({ worker: true });
      return Promise.all(streams.map(({ chunks, keep }) => split(Recording, chunks(), { keep })));
    });
    for (const [i, { name: file, keep, want }] of streams.entries()) equal(value[i], want, `what comes of ${file} in a worker that is ${name}, keep ${keep}`);
    if (workers.length < least) throw new Error(`${name}: there were ${workers.length} workers`);
    equal(await split(Recording, streams[0].chunks()), streams[0].want, "what comes of another recording");
  });
}

export const tests = {
  async "recordings share one worker and one compilation, and bytes and Blobs keep their order"() {
    const { init, Recording } = await load();
    const module = await WebAssembly.compileStreaming(fetch("/dist/webmend.wasm"));
    const bytes = await testdata("firefox-08-pause-vp8opus-ts500");
    const { workers, instances } = await making(async () => {
      await init({ wasm: module, worker: true });
      const recordings = [1000, 7000, 50_000].map((length) => {
        const recording = new Recording();
        cut(bytes, length).forEach((blob, i) => recording.pushChunk(i % 2 ? blob : bytes.subarray(i * length, (i + 1) * length)));
        return recording;
      });
      const [first, ...others] = await Promise.all(recordings.map((r) => everything(r)));
      equal(first.report.bytes, bytes.length, "the number of bytes");
      for (const other of others) equal(other, first, "what comes of other pieces");
    });
    equal([workers.length, instances], [1, 0], "workers and instances");
  },

  async "fragments come with the chunks, from the first call that asks for them on"() {
    const { init, Recording } = await load();
    await init({ worker: true });
    const bytes = await testdata("chromium-26-long-audio-nots-75s");
    const [whole, recording] = [new Recording(), new Recording()];
    whole.pushChunk(bytes);
    await whole.finish();
    const taken = [];
    for (const blob of cut(bytes, 9000)) {
      await recording.pushChunk(blob);
      taken.push(recording.takeClusters({ partial: true }));
    }
    await recording.finish();
    taken.push(recording.takeClusters());
    equal(taken[0].length, 0, "what the first call gives");
    const blocks = (clusters) => clusters.reduce((n, c) => n + c.blocks, 0);
    equal(blocks(taken.flat()), blocks(whole.takeClusters()), "the number of blocks");
    if (!(taken.filter((t) => t.some((c) => c.fragment)).length > 10)) throw new Error("there are few fragments");
    equal(await content(await recording.seekable()), await content(await whole.seekable()), "the file");
  },

  async "a module that traps loses nothing"() {
    const [inWorker, inPage] = [await load(), await load()];
    const module = await bytesOf("/dist/webmend.trap.wasm");
    const text = [...new TextEncoder().encode("trap at call ")];
    const at = module.findIndex((_, i) => text.every((c, j) => module[i + j] === c)) + text.length;
    for (const name of ["chromium-noalpha-03-vp8opus-ts250", "firefox-24-same-recorder-restart", "chromium-36-late-requestdata"]) {
      const bytes = await testdata(name);
      const blobs = cut(bytes, Math.ceil(bytes.length / 150));
      for (const keep of [true, false]) {
        const want = await split(inPage.Recording, blobs, { keep });
        for (const call of [45, 99]) {
          new TextEncoder().encodeInto(String(call).padStart(8, "0"), module.subarray(at));
          await inWorker.init({ wasm: module.slice(), worker: true });
          const { value, instances } = await making(() => split(inWorker.Recording, blobs, { keep }));
          equal(instances, 0, "instances in the page");
          equal(value, want, `what comes of ${name}, with a trap at call ${call}, keep ${keep}`);
        }
      }
    }
  },

  async "a Blob that cannot be read is an error"() {
    const { init, Recording } = await load();
    await init({ worker: true });
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle("chunk", { create: true });
    const writable = await handle.createWritable();
    await writable.write("what is there");
    await writable.close();
    const file = await handle.getFile();
    await folder.removeEntry("chunk");
    const recording = new Recording();
    const error = await rejected(recording.pushChunk(file));
    equal([error.name, error.code], ["WebmendError", "read"], "the error");
    equal((await rejected(recording.finish())).code, "read", "the code of finish");
  },

  async "where the worker's script is not to be had, the page does the work"() {
    const { init, Recording } = await load("nowhere-near-the-module");
    await withoutWorker(init, Recording, { wasm: "/dist/webmend.wasm" });
  },

  async "a worker that ends, at whatever message, loses nothing"() {
    for (const [name, faulty] of Object.entries(faults)) {
      for (const n of [0, 4, 60]) await endsAt(name, [faulty(n)], n > 0 ? 2 : 1);
    }
  },

  async "should a second end as well, the page goes on by itself"() {
    for (const [name, faulty] of Object.entries(faults)) {
      await endsAt(`${name}, twice`, [faulty(30), faulty(7)], 2);
      await endsAt(`${name}, twice at once`, [faulty(30), faulty(0)], 2);
    }
  },

  async "a worker that ends once all is recorded still makes the files"() {
    const bytes = await testdata("firefox-24-same-recorder-restart");
    const blobs = cut(bytes, Math.ceil(bytes.length / 40));
    const page = await load();
    const want = await split(page.Recording, blobs);
    for (const faulty of Object.values(faults)) {
      const { init, Recording } = await load();
      let ends = false;
      made.faults = [(...args) => ends && faulty(0)(...args)];
      await init({ worker: true });
      const recording = new Recording();
      for (const blob of blobs) recording.pushChunk(blob);
      await recording.finish();
      ends = true;
      await hurry(async () => equal(await everything(recording), want, "what comes of it"));
    }
  },

  async "a worker that ends while it repairs a file has it done again"() {
    const bytes = await testdata("firefox-08-pause-vp8opus-ts500");
    const page = await load();
    const want = [await content((await page.repair(new Blob([bytes]))).blob), await content((await page.join([new Blob([bytes]), new Blob([bytes])])).blob)];
    for (const faulty of Object.values(faults)) {
      const { init, repair, join } = await load();
      await hurry(async () => {
        made.faults = [faulty(3), faulty(5)];
        await init({ worker: true });
        const got = [await content((await repair(new Blob([bytes]))).blob), await content((await join([new Blob([bytes]), new Blob([bytes])])).blob)];
        equal(got, want, "the files");
      });
    }
  },

  async "a worker that is slow is waited for"() {
    const { init, Recording } = await load();
    const blobs = cut(await testdata("firefox-08-pause-vp8opus-ts500"), 30_000);
    let held = 0;
    made.faults = [
      (worker, n, message) => {
        if (message === null || n !== 3) return false;
        held++;
        realTimeout(() => OwnWorker.prototype.postMessage.call(worker, message), 3000); // while it is asked again and again whether it is there
        return true;
      },
    ];
    await hurry(async () => {
      await init({ worker: true });
      const { workers, value } = await making(() => split(Recording, blobs));
      equal([workers, held], [[], 1], "workers that were started, and messages that were late");
      equal(value, await split((await load()).Recording, blobs), "what comes of it");
    });
  },

  async "a recording is closed where `using` ends"() {
    const { init, Recording } = await load();
    for (const worker of [false, true]) {
      await init({ worker });
      let kept;
      {
        using recording = new Recording();
        await recording.pushChunk(await testdata("chromium-23b-stop-at-60ms"));
        kept = recording;
      }
      equal((await rejected(kept.pushChunk(new Blob(["x"])))).code, "finished", "the code");
    }
  },
};

/** Those that need a recorder, and a page with the script-tag build. */
export const withRecorder = {
  async "what MediaRecorder records comes out of the worker as out of the page"() {
    const [inWorker, inPage] = [await load(), await load()];
    const { workers, instances } = await making(() => inWorker.init({ worker: true }));
    equal([workers, instances], [[new URL("/dist/worker.js", location).href], 0], "workers and instances");
    for (const mimeType of ["video/webm;codecs=vp8,opus", "video/webm;codecs=vp9,opus"]) {
      const blobs = [];
      const early = [];
      const recording = new inWorker.Recording();
      await record(
        mimeType,
        (blob) => {
          blobs.push(blob);
          recording.pushChunk(blob).then(() => early.push(recording.duration));
        },
        () => early.at(-1) > 2,
      );
      const got = await everything(recording);
      equal(got, await split(inPage.Recording, blobs), `what comes of ${mimeType}`);
      if (!(got.report.recordings[0].clusters > 3) || got.report.dropped.length > 0) throw new Error(JSON.stringify(got.report));
      const seekable = await recording.seekable();
      equal(await content((await inWorker.repair(new Blob(blobs))).blob), await content(seekable), "the file repaired");
      equal(await content((await inWorker.join([seekable, seekable])).blob), await content((await inPage.join([seekable, seekable])).blob), "the files joined");
      recording.close();
    }
  },

  async "the script-tag build finds the worker beside it"() {
    const bytes = await testdata("chromium-08-pause-vp8opus-ts500");
    const { value, workers, instances } = await making(async () => {
      await scriptTag.init({ worker: true });
      return split(scriptTag.Recording, cut(bytes, 10_000));
    });
    equal([workers, instances], [[new URL("/dist/worker.js", location).href], 0], "workers and instances");
    const { Recording } = await load();
    equal(value, await split(Recording, cut(bytes, 10_000)), "what comes of it");
  },
};

export const withoutWorkers = {
  async "the page does the work"() {
    const { init, Recording } = await load();
    await withoutWorker(init, Recording);
  },
};

/** Tests that a recording comes out as always, though there is no worker for it. */
async function withoutWorker(init, Recording, options) {
  const blobs = cut(await testdata("firefox-08-pause-vp8opus-ts500"), 10_000);
  const { value, instances } = await making(async () => {
    await init({ ...options, worker: true });
    return split(Recording, blobs);
  });
  equal(instances, 1, "instances in the page");
  const page = await load();
  equal(value, await split(page.Recording, blobs), "what comes of it");
}
