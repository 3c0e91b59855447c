// What comes of each example of js/README.md, under whose heading it is here. Each
// throws what is wrong. The names that an example takes for granted are globals.

import { Recording, repair } from "/dist/index.js";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when the condition holds, and rejects when a minute is over. */
async function until(condition) {
  for (let tries = 3000; !condition(); tries--) {
    if (tries === 0) throw new Error(`it waits for ${condition}`);
    await wait(20);
  }
}

function check(condition, what) {
  if (!condition) throw new Error(what);
}

/** A picture that moves and a tone. */
function source(kinds = "video audio") {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let n = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${5 * ++n} 80% 60%)`;
    context.fillRect((5 * n) % 300, 40, 100, 100);
  }, 40);
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  const tone = audio.createMediaStreamDestination();
  oscillator.connect(tone);
  oscillator.start();
  const tracks = [...canvas.captureStream().getTracks(), ...tone.stream.getTracks()];
  return new MediaStream(tracks.filter((track) => kinds.includes(track.kind)));
}

/** Ends a stream, and with it all that records it. */
const end = (stream) => stream.getTracks().forEach((track) => track.stop());

/** A recorder, and all that it delivers. */
function record() {
  const stream = source();
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8,opus", videoKeyFrameIntervalDuration: 500 });
  const blobs = [];
  recorder.addEventListener("dataavailable", (event) => blobs.push(event.data));
  return { stream, recorder, blobs };
}

/** The blobs of a recording that is over. */
async function recorded() {
  const { stream, recorder, blobs } = record();
  recorder.start(100);
  await wait(1500);
  end(stream);
  await until(() => recorder.state === "inactive");
  await wait(100);
  return blobs;
}

/** What players make of a file: it ends, and how long it lasts is known at once. */
async function play(src) {
  const video = document.createElement("video");
  video.src = src instanceof Blob ? URL.createObjectURL(src) : src;
  let first;
  await new Promise((resolve, reject) => {
    video.onerror = () => reject(new Error(video.error.message));
    video.onloadedmetadata = () => (first = video.duration);
    video.onended = resolve;
    video.playbackRate = 4;
    video.play().catch(reject);
  });
  check(Number.isFinite(first) && first === video.duration && first > 0.5, `the duration is ${first} at first, ${video.duration} at last`);
  return first;
}

const equal = async (one, other) => {
  const [a, b] = await Promise.all([one, other].map((parts) => new Blob(parts).bytes()));
  check(a.length > 0 && a.length === b.length && a.every((byte, i) => byte === b[i]), `${a.length} and ${b.length} bytes are not the same`);
};

export const checks = {
  async "Record, and play a file"(run) {
    const stopButton = document.createElement("button");
    const video = document.createElement("video");
    Object.assign(globalThis, { stream: source(), stopButton, video });
    const example = run();
    await until(() => stopButton.onclick);
    await wait(1500);
    stopButton.click();
    await example;
    await play(video.src);
  },

  async "Push chunks"(run) {
    const chunks = await recorded();
    const warnings = [];
    const { warn } = console;
    console.warn = (...said) => warnings.push(said);
    try {
      Object.assign(globalThis, { chunks });
      await run();
      check(warnings.length === 0, `of what is whole it says ${warnings}`);
      const whole = new Uint8Array(await new Blob(chunks).arrayBuffer());
      Object.assign(globalThis, { chunks: [whole.subarray(0, 2000), new Uint8Array(99), whole.subarray(2000)] });
      await run();
      check(warnings.length > 0, "of damage it says nothing");
    } finally {
      console.warn = warn;
    }
  },

  async "Follow a recording"(run) {
    const { stream, recorder, blobs } = record();
    const statusLine = document.createElement("p");
    Object.assign(globalThis, { recorder, statusLine });
    await run();
    await until(() => /^[1-9]\.\d s$/.test(statusLine.textContent));
    end(stream);
    await until(() => statusLine.textContent === `${new Blob(blobs).size} bytes`);
  },

  async "Chunks in any order"(run) {
    const chunks = (await recorded()).map((chunk, sequence) => ({ chunk, sequence }));
    const lost = chunks.length - 3;
    const received = [...chunks.slice(5).reverse(), ...chunks].filter((c) => c.sequence !== lost);
    const uploads = [];
    const warnings = [];
    const { warn } = console;
    console.warn = (...said) => warnings.push(said.join(" "));
    try {
      Object.assign(globalThis, { received, upload: async (blob) => uploads.push(blob) });
      await run();
    } finally {
      console.warn = warn;
    }
    check(warnings.join() === `missing ${lost} ${lost}`, `it says ${warnings}`);
    await play(uploads[0]);
  },

  async "Join with a stored header"(run) {
    const { stream, recorder, blobs } = record();
    const recording = Recording.attach(recorder);
    recorder.start(100);
    const reader = recording.segments().getReader();
    const { value: header } = await reader.read();
    check(header.kind === "header", "there is no header");
    await reader.read();
    const later = blobs.length;
    await wait(1500);
    end(stream);
    await recording.finished;
    const uploads = [];
    Object.assign(globalThis, { storedHeader: await header.bytes(), laterChunks: blobs.slice(later), upload: async (blob) => uploads.push(blob) });
    await run();
    await play(uploads[0]);
  },

  async "Upload while it is recorded"(run) {
    const { stream, recorder, blobs } = record();
    const { fetch } = globalThis;
    const uploads = [];
    globalThis.fetch = async (url, options) => {
      if (!String(url).startsWith("/upload?")) return fetch(url, options);
      check(/\?number=\d+&crc32=\d+$/.test(url) && Number(url.match(/\d+/)[0]) === uploads.length, `${url} after ${uploads.length} uploads`);
      uploads.push(options.body);
      await wait(10);
      return new Response();
    };
    try {
      Object.assign(globalThis, { recorder });
      const example = run();
      await until(() => uploads.length > 2);
      end(stream);
      await example;
    } finally {
      globalThis.fetch = fetch;
    }
    await equal(uploads, blobs);
  },

  async "Recover after a crash"(run) {
    const chunks = await recorded();
    const crashed = new Recording({ spool: { name: "as if crashed" } });
    for (const chunk of chunks) await crashed.pushChunk(chunk);
    crashed.close();
    const { stream, recorder } = record();
    const uploads = [];
    Object.assign(globalThis, { recorder, upload: async (...args) => uploads.push([...args, await play(args[0])]) });
    const example = run();
    await until(() => recorder.state === "recording");
    await wait(1500);
    end(stream);
    await example;
    const [[, name, begun]] = uploads;
    check(uploads.length === 2 && name === "as if crashed" && Date.now() - begun < 60_000, `${uploads.length} were uploaded, ${name} of ${begun}`);
    check((await Recording.recoverable()).length === 0, "something is left");
  },

  async "Upload as one file"(run) {
    const { stream, recorder } = record();
    const { fetch } = globalThis;
    const parts = [];
    let completed;
    globalThis.fetch = async (url, options) => {
      if (!String(url).startsWith("/part/")) return fetch(url, options);
      parts[url.split("/").at(-1) - 1] = options.body;
      return new Response(null, { headers: { etag: `the etag of ${url}` } });
    };
    try {
      Object.assign(globalThis, { recorder, signedAddress: async (number) => `/part/${number}`, completeUpload: async (etags) => (completed = etags) });
      const example = run();
      await until(() => recorder.state === "recording");
      await wait(1500);
      end(stream);
      await example;
    } finally {
      globalThis.fetch = fetch;
    }
    check(String(completed) === "the etag of /part/1", `complete are ${completed}`);
    await play(new Blob(parts));
  },

  async "Put together before upload"(run) {
    const [chunks, one, two] = await Promise.all([recorded(), recorded(), recorded()]);
    const uploads = [];
    Object.assign(globalThis, { chunks, first: new Blob(one), second: new Blob(two), upload: async (blob) => uploads.push(blob) });
    await run();
    const lasts = await Promise.all(uploads.map(play));
    check(lasts.length === 2 && lasts[1] > 1.5 * lasts[0], `the files last ${lasts} s`);
  },

  async "Clip"(run) {
    const { stream, recorder } = record();
    const clipButton = document.createElement("button");
    let clip;
    Object.assign(globalThis, { recorder, clipButton, upload: async (blob) => (clip = blob) });
    await run();
    await wait(4000);
    clipButton.click();
    await until(() => clip);
    const duration = await play(clip);
    check(recorder.state === "recording" && duration >= 1.9 && duration < 3.5, `the clip lasts ${duration} s, the recorder is ${recorder.state}`);
    end(stream);
  },

  async "Send with low latency"(run) {
    const { stream, recorder } = record();
    const sent = [];
    Object.assign(globalThis, { recorder, socket: { send: (blob) => sent.push(blob) } });
    await run();
    await wait(1500);
    end(stream);
    await until(() => recorder.state === "inactive");
    const { report } = await repair(new Blob(sent));
    check(sent.length > 5 && report.dropped.length === 0 && report.recordings[0].duration > 0.5, `${sent.length} were sent, dropped ${report.dropped}`);
  },

  async "Live preview"(run) {
    const { stream, recorder } = record();
    const video = document.createElement("video");
    video.muted = true;
    Object.assign(globalThis, { recorder, video });
    const [backButton, liveButton] = [document.createElement("button"), document.createElement("button")];
    Object.assign(globalThis, { backButton, liveButton });
    await run();
    await until(() => video.currentTime > 3);
    check(recorder.state === "recording", `the recorder is ${recorder.state}`);
    backButton.click();
    await until(() => !video.seeking && video.currentTime < 1.5);
    liveButton.click();
    await until(() => !video.seeking && video.currentTime > 3);
    end(stream);
  },

  async "Instant replay"(run) {
    const { stream, recorder } = record();
    const saveButton = document.createElement("button");
    let saved;
    Object.assign(globalThis, { recorder, saveButton, upload: async (blob) => (saved = blob) });
    await run();
    await wait(3500);
    saveButton.click();
    await until(() => saved);
    const duration = await play(saved);
    check(duration > 1 && duration < 5, `it lasts ${duration} s`);
    end(stream);
  },

  async "Speech to text"(run) {
    const microphone = source("audio");
    const spoken = [];
    Object.assign(globalThis, { microphone, transcribe: (blob, time) => spoken.push({ blob, time }) });
    const example = run();
    await until(() => spoken.length > 1);
    end(microphone);
    await example;
    const audio = new AudioContext();
    let at = 0;
    for (const { blob, time } of spoken) {
      const { duration } = await audio.decodeAudioData(await blob.arrayBuffer());
      check(Math.abs(time - at) < 0.15 && duration > 0.01, `at ${time} s, ${duration} s were spoken; the one before ends at ${at} s`);
      at = time + duration;
    }
  },

  async "Look into a file"(run) {
    const list = document.createElement("pre");
    const blobs = await recorded();
    Object.assign(globalThis, { list, input: { files: [new Blob(blobs)] } });
    await run();
    check(list.textContent.startsWith("0 EBML \n") && / SimpleBlock track \d, timestamp /.test(list.textContent), `it lists ${list.textContent.slice(0, 200)}`);
    check(!/\d to \d/.test(list.textContent), "it finds damage in what is whole");
    globalThis.input.files = [new Blob([...blobs.slice(0, 9), new Uint8Array(5000), ...blobs.slice(9)])];
    await run();
    check(/\d to \d/.test(list.textContent), "of damage it says nothing");
  },

  async "In a worker"(run) {
    let instances = 0; // of the module, in the page
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, { construct: (target, args) => ++instances && new target(...args) });
    const { stream, recorder } = record();
    const video = document.createElement("video");
    Object.assign(globalThis, { recorder, video });
    const example = run();
    await until(() => recorder.state === "recording");
    await wait(1500);
    end(stream);
    await example;
    await play(video.src);
    check(instances === 0, "the page did the work");
  },

  async "Where the module is"(run) {
    await run();
    const recording = new Recording();
    recording.pushChunk(new Blob(await recorded()));
    await recording.finish();
  },
};
