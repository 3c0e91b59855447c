// Records canvases and oscillators with MediaRecorder, as chromium_test.go asks,
// and gives what it records to four builds of webmend at once. It judges
// nothing: all bytes and facts go to the test.

import { Recording } from "/dist/index.js";
import { init as initPlain, Recording as PlainRecording } from "/dist/index.js?with-the-module-as-compiled";

/** Resolves when the condition holds. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function upload(name, parts) {
  const response = await fetch(`/upload/${name}`, { method: "POST", body: new Blob(parts) });
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
}

// What is recorded: a picture that moves and a tone.

const width = 320;
const height = 240;
const audio = new AudioContext();

function picture(options) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  document.body.append(canvas);
  const context = canvas.getContext("2d", options);
  let n = 0;
  const draw = () => {
    n++;
    context.clearRect(0, 0, width, height);
    context.fillStyle = `hsl(${3 * n} 80% 60%)`;
    context.fillRect((5 * n) % width, 40, 100, 100);
    context.fillText(String(n), 20, 200);
  };
  draw();
  const timer = setInterval(draw, 40);
  const [track] = canvas.captureStream().getTracks();
  return { track, end: () => (clearInterval(timer), track.stop(), canvas.remove()) };
}

function tone() {
  const oscillator = audio.createOscillator();
  const destination = audio.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  const [track] = destination.stream.getTracks();
  return { track, end: () => (oscillator.stop(), track.stop()) };
}

// The builds, each as { push, take, finish }: take gives the headers and clusters
// that are complete, each with its facts and its bytes as a Blob.

function byRecording(Recording) {
  const recording = new Recording();
  return {
    recording,
    push: (blob) => recording.pushChunk(blob),
    take() {
      const headers = [];
      for (let header; (header = recording.takeHeader()); ) headers.push(header);
      return { headers, clusters: recording.takeClusters() };
    },
    finish: () => recording.finish(),
  };
}

/** The plain functions, for a page that reads Blobs and keeps bytes itself. */
function byFunctions(functions) {
  const handle = functions.open(0);
  const blobs = [];
  let queue = Promise.resolve();
  const withBlob = (part) => Object.assign(part, { blob: () => new Blob(blobs).slice(part.start, part.end) });
  return {
    push: (blob) =>
      (queue = queue.then(async () => {
        blobs.push(blob);
        const status = functions.pushChunk(handle, new Uint8Array(await blob.arrayBuffer()));
        if (status < 0) throw new Error(functions.lastError(handle).message);
      })),
    take() {
      const headers = [];
      for (let header; (header = functions.takeHeader(handle)); ) headers.push(withBlob(header));
      return { headers, clusters: functions.takeClusters(handle).map(withBlob) };
    },
    finish: async () => functions.finish(handle),
    close: () => functions.close(handle),
  };
}

const go = new Go();
go.run((await WebAssembly.instantiateStreaming(fetch("/dist/webmend.go.wasm"), go.importObject)).instance); // it does not return
const functions = globalThis.webmend;

await initPlain({ wasm: "/dist/webmend.plain.wasm" });

const builds = {
  npm: () => byRecording(Recording),
  plain: () => byRecording(PlainRecording),
  global: () => byRecording(scriptTag.Recording),
  go: () => byFunctions(functions),
};

// What a recorder is made to do between start and stop.

const scripts = {
  /** Until clusters have come, if they can come. */
  async plain({ timeslice }, recorder, clusters) {
    recorder.start(timeslice);
    await wait(2500);
    if (timeslice !== undefined) await until(() => clusters() >= 2);
  },
  async pause({ timeslice }, recorder, clusters) {
    recorder.start(timeslice);
    await wait(1000);
    recorder.pause();
    await wait(500);
    recorder.resume();
    await wait(1000);
    await until(() => clusters() >= 2);
  },
  async "early requestData"(_, recorder) {
    recorder.start();
    await wait(100);
    recorder.requestData();
    await wait(2500);
    recorder.requestData();
    recorder.requestData(); // with nothing new
  },
  async "late requestData"(_, recorder, clusters) {
    recorder.start();
    await wait(3000);
    recorder.requestData();
    await until(() => clusters() >= 1);
    await wait(1000);
  },
  async restart({ timeslice }, recorder, clusters) {
    recorder.start(timeslice);
    await wait(1500);
    await until(() => clusters() >= 1);
    const before = clusters();
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.stop();
    await stopped;
    recorder.start(timeslice);
    await wait(1500);
    await until(() => clusters() > before + 1); // the one that the first stop ends, and another
  },
};

async function record(config, at) {
  at.stage = "recording";
  const sources = [];
  if (config.video) sources.push(picture({ alpha: config.alpha }));
  if (config.audio) sources.push(tone());
  const recorder = new MediaRecorder(new MediaStream(sources.map((s) => s.track)), {
    mimeType: config.mimeType,
    ...(config.keyInterval && { videoKeyFrameIntervalDuration: config.keyInterval }),
  });

  const blobs = [];
  const results = {};
  const splitters = {};
  const problems = [];
  for (const name in builds) {
    splitters[name] = builds[name]();
    results[name] = { headers: [], clusters: [], early: 0 };
  }
  const take = () => {
    for (const name in builds) {
      const { headers, clusters } = splitters[name].take();
      results[name].headers.push(...headers);
      results[name].clusters.push(...clusters);
    }
  };
  recorder.ondataavailable = ({ data }) => {
    blobs.push(data);
    for (const name in builds) splitters[name].push(data).then(take, (error) => problems.push(`${name}: ${error.message}`));
  };
  const fewest = () => {
    if (problems.length > 0) throw new Error(problems.join("; "));
    return Math.min(...Object.values(results).map((r) => r.clusters.length));
  };
  const stopped = new Promise((resolve, reject) => {
    recorder.onerror = (event) => reject(event.error);
    recorder.stopped = resolve;
  });
  await Promise.race([scripts[config.script ?? "plain"](config, recorder, fewest), stopped]);
  for (const name in builds) results[name].early = results[name].clusters.length;
  at.stage = "stopping";
  recorder.onstop = () => recorder.stopped();
  recorder.stop();
  await stopped;
  for (const source of sources) source.end();
  await wait(0);
  at.stage = "finishing";
  for (const name in builds) {
    await splitters[name].push(new Blob([]));
    results[name].report = await splitters[name].finish();
  }
  take();
  fewest();
  splitters.go.close();

  // What was recorded, and what the parts of each build have in them.
  const facts = { blobs: blobs.map((b) => b.size), builds: {}, plays: [], mimeType: splitters.npm.recording.mimeType };
  await upload(`${config.name}/stream`, blobs);
  for (const name in builds) {
    const { headers, clusters, early, report } = results[name];
    const ranges = (parts) => parts.map(({ start, end }) => ({ start, end }));
    facts.builds[name] = { headers: ranges(headers), clusters: ranges(clusters), other: report.other, dropped: report.dropped, early };
    const parts = [...headers, ...clusters].sort((a, b) => a.start - b.start);
    await upload(`${config.name}/${name}`, parts.map((p) => p.blob()));
  }

  const { headers, clusters } = results.npm;
  for (const header of headers) {
    const own = clusters.filter((c) => c.recordingIndex === header.recordingIndex);
    const runs = [own];
    const second = own.findIndex((c, i) => i > 0 && c.keyframes > 0);
    if (second > 0) runs.push(own.slice(second));
    for (const run of runs) {
      at.stage = `playing ${run.length} clusters of ${own.length}`;
      const parts = [header, ...run].map((p) => p.blob());
      facts.plays.push({ recording: header.recordingIndex, clusters: run.length, duration: end(run), ...(await play(parts, header.mimeType)) });
    }
    at.stage = "appending to a MediaSource";
    if (header.docType === "webm") facts.buffered = await append([header, ...own], facts.mimeType);
  }
  return facts;
}

/** When the last frame of a run of clusters ends, from the first on. */
const end = (run) => Math.max(...run.map((c) => c.time + c.duration)) - run[0].time;

/** Plays parts as one file to its end. */
async function play(parts, type) {
  const video = document.createElement("video");
  video.src = URL.createObjectURL(new Blob(parts, { type }));
  document.body.append(video);
  const times = [];
  let ended = false;
  try {
    await new Promise((resolve, reject) => {
      video.onerror = () => reject(new Error(`a video does not play: ${video.error.message}`));
      video.ontimeupdate = () => times.push(video.currentTime);
      video.onended = () => resolve((ended = true));
      video.playbackRate = 2;
      video.play().catch(reject);
    });
    return { ended, times, width: video.videoWidth, height: video.videoHeight };
  } finally {
    URL.revokeObjectURL(video.src);
    video.remove();
  }
}

/** Appends parts to a MediaSource of that type, and says what it has then. */
async function append(parts, type) {
  if (!MediaSource.isTypeSupported(type)) throw new Error(`MediaSource does not support ${type}`);
  const source = new MediaSource();
  const video = document.createElement("video");
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
  const buffer = source.addSourceBuffer(type);
  for (const part of parts) {
    await new Promise(async (resolve, reject) => {
      buffer.onupdateend = resolve;
      buffer.onerror = () => reject(new Error(`MediaSource refuses ${part.start}-${part.end}: ${video.error?.message}`));
      buffer.appendBuffer(await part.blob().arrayBuffer());
    });
  }
  const ranges = [];
  for (let i = 0; i < buffer.buffered.length; i++) ranges.push([buffer.buffered.start(i), buffer.buffered.end(i)]);
  return ranges;
}

/** Records all configurations at once. One that hangs says where after a minute. */
export const recordAll = (configs) =>
  Promise.all(
    configs.map((config) => {
      const at = { stage: "" };
      const hung = wait(60_000).then(() => ({ error: `it hangs while ${at.stage}` }));
      return Promise.race([record(config, at).catch((error) => ({ error: String(error.stack ?? error) })), hung]);
    }),
  );
