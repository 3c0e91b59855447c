// What the benchmark measures in a page. It is imported from the benchmark's own server,
// which has the package, the peers and the inputs, and takes what comes out.

const { origin } = new URL(import.meta.url);
let loads = 0;

/** The package, as if loaded for the first time: from the page's own server, or there is no worker. */
const load = () => import(`${location.origin}/dist/index.js?${++loads}`);

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function put(name, blob) {
  const response = await fetch(`${origin}/output/${name}`, { method: "PUT", body: blob });
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
}

/** Milliseconds that a job takes, and what of Blobs it reads, slices and copies. */
async function timed(job) {
  const used = { slices: 0, reads: 0, copied: 0 };
  const { slice, arrayBuffer } = Blob.prototype;
  Blob.prototype.slice = function (...range) {
    used.slices++;
    return slice.apply(this, range);
  };
  Blob.prototype.arrayBuffer = function () {
    used.reads++;
    return arrayBuffer.apply(this);
  };
  const { Blob: Real } = globalThis;
  globalThis.Blob = new Proxy(Real, {
    construct(target, [parts = [], options]) {
      for (const { byteLength = 0 } of parts) used.copied += byteLength;
      return new target(parts, options);
    },
  });
  try {
    const begin = performance.now();
    const blob = await job();
    return { milliseconds: performance.now() - begin, ...used, blob };
  } finally {
    globalThis.Blob = Real;
    Object.assign(Real.prototype, { slice, arrayBuffer });
  }
}

/** The file of a recording once it has stopped, of Blobs that came as `dataavailable` brings them. */
export async function stop(name, rounds, withPeer) {
  const sizes = await (await fetch(`${origin}/input/${name}.webm.json`)).json();
  const { Recording } = await load();
  const blobs = [];
  const recording = new Recording();
  const begin = performance.now();
  let fetched = 0;
  for (let i = 0, at = 0; i < sizes.length; ) {
    // Some at a time, so that a gigabyte is not in memory twice.
    let end = at;
    const from = i;
    while (i < sizes.length && end - at < 50e6) end += sizes[i++];
    const before = performance.now();
    const bytes = new Uint8Array(await (await fetch(`${origin}/input/${name}.webm`, { headers: { Range: `bytes=${at}-${end - 1}` } })).arrayBuffer());
    const some = [];
    for (let j = from, offset = 0; j < i; j++) some.push(new Blob([bytes.subarray(offset, (offset += sizes[j]))]));
    fetched += performance.now() - before;
    for (const blob of some) {
      await recording.pushChunk(blob);
      recording.takeClusters();
    }
    if (withPeer) blobs.push(...some);
    at = end;
  }
  const pushing = performance.now() - begin - fetched;
  // Once, before the first of the files.
  const { milliseconds: finishing, copied: stored } = await timed(() => recording.finish());
  const told = { blobs: sizes.length, pushing, memory: recording.memory, webmend: [], mediabunny: [] };
  const keep = async (list, name, { blob, ...figures }, isLast) => {
    list.push({ ...figures, size: blob.size });
    if (isLast) await put(name, blob);
  };
  const peer = withPeer && (await import(`${origin}/bench/node_modules/mediabunny/dist/bundles/mediabunny.min.mjs`));
  for (let i = 1; i <= rounds; i++) {
    const made = await timed(() => recording.seekable());
    await keep(told.webmend, "webmend", { ...made, milliseconds: finishing + made.milliseconds, copied: stored + made.copied }, i === rounds);
    if (!withPeer) continue;
    const convert = async () => {
      const input = new peer.Input({ source: new peer.BlobSource(new Blob(blobs)), formats: peer.ALL_FORMATS });
      const output = new peer.Output({ format: new peer.WebMOutputFormat(), target: new peer.BufferTarget() });
      await (await peer.Conversion.init({ input, output })).execute();
      return new Blob([output.target.buffer]);
    };
    await keep(told.mediabunny, "mediabunny", await timed(convert), i === rounds);
  }
  recording.close();
  return told;
}

/** A canvas that moves, with sound: Firefox's fake microphone, where an AudioContext needs a sound device. */
async function source() {
  let stream;
  let oscillator;
  if (navigator.userAgent.includes("Firefox")) stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  else {
    const context = new AudioContext();
    oscillator = context.createOscillator();
    const destination = context.createMediaStreamDestination();
    oscillator.connect(destination);
    oscillator.start();
    stream = destination.stream;
  }
  const picture = document.createElement("canvas");
  Object.assign(picture, { width: 320, height: 240 });
  document.body.append(picture);
  const context = picture.getContext("2d", { alpha: false });
  let n = 0;
  const timer = setInterval(() => {
    context.fillStyle = `hsl(${3 * ++n} 80% 60%)`;
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = "black";
    context.fillRect((5 * n) % 320, 40, 100, 100);
  }, 40);
  stream.addTrack(picture.captureStream().getVideoTracks()[0]);
  const end = () => {
    clearInterval(timer);
    oscillator?.context.close();
    for (const track of stream.getTracks()) track.stop();
    picture.remove();
  };
  return { stream, end };
}

/** Milliseconds from each `dataavailable` until its clusters are in hand, and until the preview's buffer has them. */
export async function latency({ timeslice, busy, worker, seconds }) {
  const { init, Recording } = await load();
  await init({ worker });
  const { stream, end } = await source();
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8,opus" });
  const recording = new Recording();
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);

  // A chunk is in the buffer when what was appended after it was split is.
  const waiting = [];
  const told = { split: [], shown: [] };
  const { appendBuffer } = SourceBuffer.prototype;
  SourceBuffer.prototype.appendBuffer = function (bytes) {
    const chunks = waiting.splice(0);
    this.addEventListener("updateend", () => {
      const now = performance.now();
      for (const came of chunks) told.shown.push(now - came);
    }, { once: true });
    return appendBuffer.call(this, bytes);
  };
  const preview = await recording.preview(video);

  let working = busy;
  const work = () => {
    for (const until = performance.now() + 50; performance.now() < until; );
    if (working) setTimeout(work);
  };
  if (busy) work();

  recorder.ondataavailable = async ({ data }) => {
    const came = performance.now();
    if (data.size === 0) return;
    await recording.pushChunk(data);
    recording.takeClusters();
    told.split.push(performance.now() - came);
    waiting.push(came);
  };
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start(timeslice);
  await wait(1000 * seconds);
  preview.close();
  SourceBuffer.prototype.appendBuffer = appendBuffer;
  recorder.stop();
  await stopped;
  working = false;
  end();
  await wait(100); // Firefox can deliver the last blob after `stop`
  await recording.finish(); // of all that waits for its turn
  recording.close();
  video.remove();
  return told;
}
