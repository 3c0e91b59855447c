// What a <video> element makes of the files that come out of a recording.

import { join, Recording, repair } from "/dist/index.js";

/** The recording of that name, pushed as its recorder's blobs. */
export async function record(name) {
  const bytes = new Uint8Array(await (await fetch(`/testdata/${name}.webm`)).arrayBuffer());
  const { chunks } = await (await fetch(`/testdata/${name}.json`)).json();
  const recording = new Recording();
  let at = 0;
  for (const length of chunks) recording.pushChunk(new Blob([bytes.subarray(at, (at += length))]));
  await recording.finish();
  return { recording, bytes };
}

/** A promise that is to be kept before anyone gives up on it. */
function soon(promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what} takes more than a minute`)), 60_000)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function event(target, name, what = name) {
  const happened = new Promise((resolve, reject) => {
    const settle = (f) => (e) => {
      target.removeEventListener(name, good);
      target.removeEventListener("error", bad);
      f(e);
    };
    const good = settle(resolve);
    const bad = settle(() => reject(new Error(target.error?.message ?? "error")));
    target.addEventListener(name, good);
    target.addEventListener("error", bad);
  });
  return soon(happened, what);
}

/** How a source plays: its duration, what can be sought, and where each seek lands and what it paints. */
async function watch(src, points, hasVideo, whole = Promise.resolve()) {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  try {
    const loaded = event(video, "loadeddata");
    video.src = src;
    await loaded;
    await soon(whole, "appending");
    const told = { duration: video.duration, buffered: ranges(video.buffered), seekable: ranges(video.seekable), width: video.videoWidth, seeks: [] };
    for (const point of points(video.duration)) {
      const seeked = event(video, "seeked", `seeking to ${point} of ${video.duration} in ${src}, with ${JSON.stringify(ranges(video.buffered))} buffered,`);
      const painted = hasVideo && frameNear(video, point);
      video.currentTime = point;
      await seeked;
      told.seeks.push({ to: point, at: video.currentTime, frame: hasVideo ? await painted : null, colours: hasVideo ? await colours(video) : 0 });
    }
    return told;
  } finally {
    video.removeAttribute("src");
    video.load();
    video.remove();
  }
}

/**
 * The time of the frame that is painted when a time is sought: the first that is
 * near it, as one of before the seek may still be on its way, or the last that came.
 */
function frameNear(video, point) {
  return new Promise((resolve) => {
    let last = null;
    const timer = setTimeout(() => resolve(last), 20_000);
    const painted = (_, { mediaTime }) => {
      last = mediaTime;
      if (Math.abs(mediaTime - point) > 0.3) return video.requestVideoFrameCallback(painted);
      clearTimeout(timer);
      resolve(mediaTime);
    };
    video.requestVideoFrameCallback(painted);
  });
}

const ranges = (r) => Array.from({ length: r.length }, (_, i) => [r.start(i), r.end(i)]);

/** How many colours the picture has: a frame that was not decoded has one, and one that Firefox does not show yet. */
async function colours(video) {
  const canvas = new OffscreenCanvas(64, 36);
  const context = canvas.getContext("2d");
  for (let tries = 5; ; tries--) {
    context.drawImage(video, 0, 0, 64, 36);
    const found = new Set(new Uint32Array(context.getImageData(0, 0, 64, 36).data.buffer)).size;
    if (found > 2 || tries === 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Times to seek to: back and forth, the beginning and the end too. */
const points = (duration) => [0.5, 0.93, 0, 0.21, 0.77, 0.999, 0.01].map((part) => part * duration);

export async function watchBlob(blob, hasVideo, at = points) {
  const url = URL.createObjectURL(blob);
  try {
    return await watch(url, at, hasVideo);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Watches the seekable file, a clip, what an upload stores, and what can be streamed, of a recording. In
 * Firefox without what it cannot do: it finds no place in a file that has no index,
 * and it drops what is appended through Media Source Extensions from where a cluster
 * begins without a key frame, and before the guessed end of the last frame, up to
 * the next key frame, be sizes known or not.
 */
export async function watchAll(name, { firefox = false } = {}) {
  const { recording } = await record(name);
  const hasVideo = recording.tracks.some((t) => t.type === "video") && recording.duration > 0.1;
  // Where players do not know how long the last frame lasts.
  const inner = () => points(recording.duration - 0.15);
  const clusters = recording.takeClusters();
  const told = { duration: recording.duration, hasVideo };
  // There is nothing to seek in the 20 ms of a recorder that was stopped at once.
  told.seekable = await watchBlob(await recording.seekable(), hasVideo, recording.duration > 0.1 ? points : () => []);

  if (recording.duration > 1) {
    const clip = await recording.clip({ start: recording.duration * 0.4, end: recording.duration * 0.8 });
    told.clip = { start: clip.start, end: clip.end, ...(await watchBlob(clip.blob, hasVideo)) };

    // What an upload stores: the same, but that its beginning came last.
    told.uploaded = await watchBlob(await uploaded(recording), hasVideo, (duration) => points(duration).slice(1, 4));

    // Sized clusters after the initialization segment, as a file without an index:
    // without one Chromium finds no key frame of H.264 to begin with.
    const initialization = await recording.initializationSegment();
    if (!firefox && !recording.mimeType.includes("avc1")) {
      const streamed = new Blob([initialization, ...clusters.map((c) => c.sized())]);
      told.streamed = await watchBlob(streamed, hasVideo, inner);
    }
    const whole = !firefox || clusters.every((c) => c.keyframes > 0);
    if (whole && MediaSource.isTypeSupported(recording.mimeType)) told.appended = await watchAppended(recording, initialization, clusters, hasVideo, inner);
  }
  return told;
}

/** A recording's parts, put together. */
async function uploaded(recording) {
  const parts = [];
  const write = ({ number, blob }) => void (parts[number - 1] = blob);
  const last = recording.report.recordings.length - 1;
  await recording.parts({ size: 50_000, expectedSeconds: 0, recordingIndex: last }).pipeTo(new WritableStream({ write }));
  return new Blob(parts, { type: recording.mimeType });
}

/** The same through Media Source Extensions. */
async function watchAppended(recording, initialization, clusters, hasVideo, points) {
  const source = new MediaSource();
  const url = URL.createObjectURL(source);
  const append = async () => {
    await event(source, "sourceopen");
    const buffer = source.addSourceBuffer(recording.mimeType);
    for (const part of [initialization, ...clusters.map((c) => c.sized())]) {
      buffer.appendBuffer(await part.arrayBuffer());
      await event(buffer, "updateend");
    }
    source.endOfStream();
  };
  try {
    return await watch(url, points, hasVideo, append());
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A recording of about a gigabyte: what making its seekable file does. */
export async function long(megabytes) {
  const { recording: first, bytes } = await record("chromium-noalpha-03-vp8opus-ts250");
  const clusters = first.takeClusters();
  const recording = new Recording();
  await recording.pushChunk(bytes.subarray(0, clusters[0].start));
  for (let shift = 0; recording.report.bytes < megabytes << 20; shift += Math.ceil(first.duration * 1000)) {
    const again = clusters.flatMap(({ start, end, timestamp }) => {
      const head = start + 12; // its Timestamp follows, and is made one of 4 bytes
      const time = new DataView(new ArrayBuffer(6));
      time.setUint16(0, 0xe784);
      time.setUint32(2, timestamp + shift);
      return [bytes.subarray(start, head), time, bytes.subarray(head + 2 + (bytes[head + 1] & 0x7f), end)];
    });
    await recording.pushChunk(new Blob(again));
    recording.takeClusters();
  }
  await recording.finish();

  const calls = { slices: 0, reads: 0, parts: 0, bytes: 0 };
  const { slice, arrayBuffer } = Blob.prototype;
  Blob.prototype.slice = function (...range) {
    calls.slices++;
    return slice.apply(this, range);
  };
  Blob.prototype.arrayBuffer = function () {
    calls.reads++;
    return arrayBuffer.apply(this);
  };
  const { Blob: Real } = globalThis;
  globalThis.Blob = new Proxy(Real, {
    construct(target, [parts, options]) {
      calls.parts += parts.length;
      calls.bytes += parts.reduce((n, part) => n + (part.byteLength ?? 0), 0);
      return new target(parts, options);
    },
  });
  const begin = performance.now();
  const blob = await recording.seekable();
  const milliseconds = performance.now() - begin;
  globalThis.Blob = Real;
  Object.assign(Real.prototype, { slice, arrayBuffer });

  const head = await repair(blob.slice(0, 1 << 20));
  const video = await watchBlob(blob, true, (duration) => [duration * 0.999, 0]);
  recording.close();
  return { ...calls, size: blob.size, recorded: recording.report.bytes, milliseconds, mimeType: blob.type, header: head.report.recordings[0].header, video };
}

/** The times of the frames that are painted when a file is played from one time to another. */
async function play(blob, from, to) {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  video.src = URL.createObjectURL(blob);
  try {
    await event(video, "loadeddata");
    const seeked = event(video, "seeked");
    video.currentTime = from;
    await seeked;
    const frames = [];
    const played = new Promise((resolve, reject) => {
      const painted = (_, { mediaTime }) => {
        frames.push(mediaTime);
        if (mediaTime >= to) return resolve();
        video.requestVideoFrameCallback(painted);
      };
      video.requestVideoFrameCallback(painted);
      video.play().catch(reject);
    });
    await soon(played, `playing from ${from} to ${to}`);
    return frames;
  } finally {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load();
    video.remove();
  }
}

/** The join of two recordings, watched and played where one becomes the other. */
export async function watchJoin(names) {
  const files = [];
  for (const name of names) files.push(new Blob([(await record(name)).bytes]));
  const { blob, end } = await join(files);
  const played = await play(blob, end * 0.45, end * 0.55);
  return { end, played, ...(await watchBlob(blob, true, (duration) => [duration * 0.49, duration * 0.51, 0, duration * 0.99])) };
}
