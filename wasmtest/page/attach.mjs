// Attaches recordings to real recorders, in either browser, and hears beside them
// what these deliver.

import { Recording } from "/dist/index.js";
import { sources } from "/page/firefox-record.mjs";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What is done with a recorder and a recording that is attached to it. */
const scripts = {
  async "stopped"(recorder) {
    recorder.start(100);
    await wait(1500);
    recorder.stop();
  },
  async "stopped after it was asked for data, again and again"(recorder) {
    recorder.start();
    await wait(1500);
    for (let i = 0; i < 5; i++) recorder.requestData();
    recorder.stop();
  },
  async "whose tracks end"(recorder) {
    recorder.start(100);
    await wait(1500);
    for (const track of recorder.stream.getTracks()) track.stop();
  },
  async "stopped at once, and finished"(recorder, recording) {
    recorder.start();
    recorder.stop();
    await recording.finish();
  },
  async "finished"(recorder, recording) {
    recorder.start(100);
    await wait(1500);
    await recording.finish();
  },
  async "started again at once"(recorder) {
    recorder.start(100);
    await wait(1000);
    recorder.stop();
    recorder.start(100);
    await wait(1000);
    recorder.stop();
  },
  async "started again when it stops"(recorder) {
    recorder.start(100);
    await wait(1000);
    recorder.addEventListener("stop", () => recorder.start(100), { once: true });
    recorder.stop();
    await wait(1000);
    recorder.stop();
  },
  async "started again a while later"(recorder, recording) {
    recorder.start(100);
    await wait(1000);
    recorder.stop();
    await wait(500);
    recorder.start(100);
    await wait(1000);
    await recording.finish();
  },
};

/** Records by a script, and says whether what came out is what the recorder delivered. */
async function record(name, microphone) {
  const { stream, end } = await sources({ canvas: true, microphone });
  const recorder = new MediaRecorder(stream, { videoKeyFrameIntervalDuration: 500 });
  const blobs = [];
  let afterStop = 0;
  recorder.addEventListener("stop", () => (afterStop = 0));
  recorder.addEventListener("dataavailable", ({ data }) => {
    blobs.push(data);
    afterStop++;
  });
  const recording = Recording.attach(recorder, { restarts: name.includes("a while later") });
  const parts = [];
  const read = recording.segments().pipeTo(new WritableStream({ write: async (segment) => void parts.push(segment.blob()) }));
  read.catch(() => {}); // finished says it
  try {
    await scripts[name](recorder, recording);
    await Promise.all([recording.finished, read]);
  } catch ({ code, message }) {
    return { name, code, message };
  } finally {
    end();
    for (const track of stream.getTracks()) track.stop();
  }
  const { state } = recorder;
  await wait(300); // for what might still come
  const { report } = recording;
  const delivered = new Uint8Array(await new Blob(blobs).arrayBuffer());
  const got = new Uint8Array(await new Blob(parts).arrayBuffer());
  const { other } = report;
  return {
    name,
    state,
    afterStop,
    bytes: report.bytes,
    delivered: delivered.length,
    // Cues and the like are in no segment.
    segments: got.length + other.reduce((n, range) => n + range.end - range.start, 0),
    differs: other.length > 0 ? -1 : got.findIndex((byte, i) => byte !== delivered[i]),
    dropped: report.dropped,
    durations: report.recordings.map((r) => r.duration),
  };
}

/** Records by all scripts at once. */
export const recordAll = (microphone) => Promise.all(Object.keys(scripts).map((name) => record(name, microphone)));

/** Records until the tracks of the stream change, and says what the report has of that. */
export async function changed(how, microphone) {
  const { stream, end } = await sources({ canvas: true, microphone });
  const other = await sources({ canvas: true });
  const recorder = new MediaRecorder(stream);
  const recording = Recording.attach(recorder);
  recorder.start(100);
  try {
    await wait(1500);
    const [track] = stream.getVideoTracks();
    if (how === "added") stream.addTrack(other.stream.getVideoTracks()[0]);
    else stream.removeTrack(track);
    const { error, bytes, dropped } = await recording.finished;
    return { code: error?.code, message: error?.message, state: recorder.state, bytes, dropped, size: (await recording.seekable()).size, seconds: recording.duration };
  } finally {
    end();
    other.end();
  }
}

/** How attaching to a recorder of another container fails: with `throw` at once, or once it has started. */
export async function refused(mimeType, throws) {
  const { stream, end } = await sources({ canvas: true });
  try {
    const recorder = new MediaRecorder(stream, { mimeType });
    // Where a recorder does not say what it will write.
    if (!throws) Object.defineProperty(recorder, "mimeType", { get: () => "" });
    const recording = Recording.attach(recorder);
    recorder.start(100);
    await recording.finished;
  } catch ({ name, code, message }) {
    return { name, code, message };
  } finally {
    end();
  }
}
