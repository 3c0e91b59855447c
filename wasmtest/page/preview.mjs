// Previews of what real recorders record meanwhile, in either browser. It judges
// little: what was painted, when and where goes to the test.

import { Recording } from "/dist/index.js";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, condition) {
  const end = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within 30 seconds: ${what}. ${Array.from(document.querySelectorAll("video, audio"), state).join("; ")}`);
    await wait(20);
  }
}

/** What there is to say of an element that does not do what it should. */
function state(media) {
  const ranges = (r) => JSON.stringify(Array.from({ length: r.length }, (_, i) => [r.start(i), r.end(i)]));
  const { currentTime, readyState, paused, seeking, ended, duration, error } = media;
  return `at ${currentTime} of ${duration}, buffered ${ranges(media.buffered)}, seekable ${ranges(media.seekable)}, ${JSON.stringify({ readyState, paused, seeking, ended, error: error?.message })}`;
}

const bits = 16;
const width = 320;
const height = 240;

/** A picture that shows its number in black and white squares, and knows when it painted which; with noise it is hard to compress. */
function numbered(noise) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  document.body.append(canvas);
  const context = canvas.getContext("2d", { alpha: false });
  const painted = [];
  const draw = () => {
    const n = painted.push(performance.now()) - 1;
    context.fillStyle = `hsl(${3 * n} 50% 60%)`;
    context.fillRect(0, 0, width, height);
    if (noise) context.putImageData(new ImageData(Uint8ClampedArray.from({ length: 4 * width * 120 }, () => 256 * Math.random()), width), 0, 100);
    for (let bit = 0; bit < bits; bit++) {
      context.fillStyle = (n >> bit) & 1 ? "#fff" : "#000";
      context.fillRect(20 * bit, 0, 20, 40);
    }
  };
  draw();
  const timer = setInterval(draw, 40);
  return { canvas, painted, end: () => (clearInterval(timer), canvas.remove()) };
}

const reader = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });

/** The number of the picture that a video shows. */
function numberOf(video) {
  reader.drawImage(video, 0, 0, width, height);
  let n = 0;
  for (let bit = 0; bit < bits; bit++) if (reader.getImageData(20 * bit + 10, 20, 1, 1).data[1] > 127) n |= 1 << bit;
  return n;
}

/** A tone or, in Firefox, which has none without a sound device, what its fake microphone hears. */
async function sound(microphone) {
  if (microphone) {
    const [track] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks();
    return { track, end: () => track.stop() };
  }
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  const destination = audio.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  return { track: destination.stream.getTracks()[0], end: () => audio.close() };
}

/** A recorder of a numbered picture with sound, and a recording beside it. */
async function begin({ mimeType, timeslice = 250, microphone = false, videoBitsPerSecond } = {}) {
  const picture = numbered(videoBitsPerSecond > 0);
  const tone = await sound(microphone);
  const stream = new MediaStream([...picture.canvas.captureStream().getTracks(), tone.track]);
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond, videoKeyFrameIntervalDuration: 1000 });
  const recording = Recording.attach(recorder, { restarts: true });
  recorder.start(timeslice);
  const end = () => {
    tone.end();
    picture.end();
    for (const track of stream.getTracks()) track.stop();
    recording.close();
  };
  return { picture, recorder, recording, end };
}

function element(name = "video") {
  const media = document.createElement(name);
  media.muted = true;
  document.body.append(media);
  return media;
}

/**
 * Notes each picture that a video paints: its number, its time, how many seconds that is
 * before what there is of the recording, and how many milliseconds since it was drawn.
 */
function watch(video, picture, preview) {
  const frames = [];
  const note = (now, { mediaTime }) => {
    const n = numberOf(video);
    frames.push({ n, time: mediaTime, drawn: picture.painted[n], behind: preview.end - mediaTime, late: performance.now() - picture.painted[n] });
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  return frames;
}

const ranges = ({ buffered }) => Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);

/** Goes to a time, and returns the picture that is shown there. */
async function seek(video, time, picture) {
  const before = numberOf(video);
  video.currentTime = time;
  await until(`${time} is sought`, () => !video.seeking);
  // Where it was paused the picture may come a moment later.
  for (let tries = 0; numberOf(video) === before && tries < 25; tries++) await wait(20);
  const n = numberOf(video);
  return { to: time, time: video.currentTime, n, drawn: picture.painted[n] };
}

/** Watches live, goes back, and goes live again. */
export async function follow(options = {}) {
  const { picture, recorder, recording, end } = await begin(options);
  const video = element();
  try {
    const preview = await recording.preview(video, { keepSeconds: 3 });
    const frames = watch(video, picture, preview);
    await until("eight seconds are shown", () => video.currentTime > 8);
    const told = { live: frames.slice(), buffered: [ranges(video)], isLive: [preview.isLive], back: [], again: [] };
    for (const time of [0.5, 4, 1.2]) told.back.push(await seek(video, time, picture));
    told.isLive.push(preview.isLive);
    told.buffered.push(ranges(video));
    const from = frames.length;
    preview.live();
    await until("it is live again", () => preview.isLive && preview.end - video.currentTime < 1 && frames.length > from + 50);
    told.again = frames.slice(from + 10);
    told.isLive.push(preview.isLive);

    recorder.pause();
    await wait(1500);
    recorder.resume();
    const paused = video.currentTime;
    await until("it goes on after a pause", () => video.currentTime > paused + 2);
    told.buffered.push(ranges(video));
    told.isLive.push(preview.isLive);

    const { duration } = await recording.finish().then(() => recording);
    await until("it ends", () => video.ended);
    told.duration = { recorded: duration, shown: video.duration, end: preview.end, start: preview.start };
    for (const time of [0.7, duration - 0.5]) told.back.push(await seek(video, time, picture));
    preview.close();
    told.left = { src: video.getAttribute("src"), error: video.error?.message ?? null };
    return told;
  } finally {
    video.remove();
    end();
  }
}

/** A recorder that is started again, and two previews of it, one of them paused. */
export async function restarted(options = {}) {
  const { picture, recorder, recording, end } = await begin(options);
  const [video, other] = [element(), element()];
  try {
    const previews = [await recording.preview(video), await recording.preview(other)];
    await until("both show something", () => video.currentTime > 2 && other.currentTime > 2);
    other.pause();
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.stop();
    await stopped;
    recorder.start(250);
    const first = await (async () => {
      await until("the second recording begins", () => recording.report.recordings.length === 2);
      return recording.report.recordings[0].duration;
    })();
    const frames = watch(video, picture, previews[0]);
    await until("the second is shown", () => video.currentTime > first + 3);
    const told = { first, buffered: [ranges(video)], live: frames.slice(-20), isLive: previews.map((p) => p.isLive), back: [] };
    for (const time of [first - 1, first + 1, first - 0.5]) told.back.push(await seek(video, time, picture));
    told.buffered.push(ranges(video));
    told.otherAt = other.currentTime;
    await other.play();
    await until("the other goes on into the second", () => other.currentTime > first + 0.5);
    told.buffered.push(ranges(other));
    for (const preview of previews) preview.close();
    return told;
  } finally {
    video.remove();
    other.remove();
    end();
  }
}

/** Two previews of two recordings in one element, of which the second is shown, until a signal ends it. */
export async function takenOver(options = {}) {
  const [one, other] = [await begin(options), await begin(options)];
  const video = element();
  const errors = [];
  const onError = (error) => errors.push(String(error));
  try {
    const first = await one.recording.preview(video, { onError });
    await until("the first is shown", () => video.currentTime > 1);
    const gone = new AbortController();
    const second = await other.recording.preview(video, { onError, signal: gone.signal });
    const frames = watch(video, other.picture, second);
    await until("the second is shown", () => frames.length > 30 && video.currentTime > 1 && second.isLive);
    const { src } = video;
    first.close(); // which has nothing to do with the element any more
    const at = video.currentTime;
    await until("the second goes on", () => video.currentTime > at + 1);
    const told = { stays: video.src === src && src !== "", live: frames.slice(10) };

    // Of two that come at once, before anything is shown, the last one has the element.
    const [third, fourth] = await Promise.all([one.recording.preview(video, { onError }), other.recording.preview(video, { onError, signal: gone.signal })]);
    const again = watch(video, other.picture, fourth);
    await until("the fourth is shown", () => again.length > 30);
    third.close();
    told.again = again.slice(20);
    gone.abort();
    told.left = { src: video.getAttribute("src"), error: video.error?.message ?? null };
    return { ...told, errors };
  } finally {
    video.remove();
    one.end();
    other.end();
  }
}

/** How previews are refused. */
export async function refused(options) {
  const { recording, end } = await begin(options);
  const video = element();
  const told = {};
  const refuse = (what, preview) => preview.then(
    () => (told[what] = "nothing"),
    ({ name, code, message }) => (told[what] = `${name} ${code ?? ""} ${message}`),
  );
  try {
    for (const what of [document.body, document.createElement("canvas"), null, undefined, "video"]) await refuse(String(what), recording.preview(what));
    await refuse("aborted", recording.preview(video, { signal: AbortSignal.abort() }));
    const closing = refuse("closed meanwhile", recording.preview(video));
    recording.close();
    await closing;
    await refuse("closed", recording.preview(video));
    return told;
  } finally {
    video.remove();
    end();
  }
}

/** One of sound alone, begun in the midst. */
export async function soundOnly(options = {}) {
  const { track, end } = await sound(options.microphone);
  const recorder = new MediaRecorder(new MediaStream([track]), { mimeType: "audio/webm;codecs=opus" });
  const recording = Recording.attach(recorder);
  recorder.start(250);
  const audio = element("audio");
  try {
    await until("a second is recorded", () => recording.report.bytes > 6000);
    const preview = await recording.preview(audio);
    await until("it plays", () => audio.currentTime > 3);
    const told = { behind: preview.end - audio.currentTime, buffered: [ranges(audio)], isLive: [preview.isLive] };
    preview.close();
    return told;
  } finally {
    audio.remove();
    end();
    recording.close();
  }
}

/** What Media Source Extensions do not take is played as a file. */
export async function asFile(options) {
  const { recording, end } = await begin(options);
  const video = element();
  try {
    const preview = await recording.preview(video);
    await until("there is a picture", () => video.videoWidth > 0 && video.currentTime > 0);
    const first = video.duration;
    await until("it goes on with what has come since", () => video.duration > first + 1);
    const told = { src: video.src.slice(0, 5), first, second: video.duration, supported: MediaSource.isTypeSupported(recording.mimeType) };
    preview.close();
    return told;
  } finally {
    video.remove();
    end();
  }
}

/** One of which the browser can keep no more than a few seconds, and that stood still for longer. */
export async function crowded(options) {
  const { recording, end } = await begin(options);
  const video = element();
  try {
    const refused = [];
    const { appendBuffer } = SourceBuffer.prototype;
    SourceBuffer.prototype.appendBuffer = function (bytes) {
      try {
        appendBuffer.call(this, bytes);
      } catch (error) {
        refused.push(error.name);
        throw error;
      }
    };
    const preview = await recording.preview(video, { keepSeconds: 60 });
    await until("it plays", () => video.currentTime > 1);
    video.pause();
    await until("the browser has no more room", () => refused.length > 0);
    const told = { refused: refused[0], isLive: [preview.isLive], buffered: [ranges(video)] };
    await video.play();
    const from = video.currentTime;
    await until("it plays on", () => video.currentTime > from + 5);
    told.buffered.push(ranges(video));
    preview.live();
    await until("it is live", () => preview.end - video.currentTime < 1);
    told.isLive.push(preview.isLive);
    return told;
  } finally {
    video.remove();
    end();
  }
}
