// Records while the browser is made to stand still, as stalls_test.go asks: the page
// says how far the recording is, and the test stops processes meanwhile.

import { Recording } from "/dist/index.js";
import { sources } from "/page/firefox-record.mjs";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function upload(name, parts) {
  const response = await fetch(`/upload/${name}`, { method: "POST", body: new Blob(parts) });
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
}

/** The sound that is recorded: a tone, at a volume from 0 to 1. */
function tone(volume) {
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  const destination = audio.createMediaStreamDestination();
  oscillator.connect(new GainNode(audio, { gain: volume })).connect(destination);
  oscillator.start();
  return { track: destination.stream.getAudioTracks()[0], end: () => audio.close() };
}

/** Starts to record. `sound` is "a tone", "silence" or "a track that is disabled". */
export async function start({ sound }) {
  const { stream, end } = await sources({ canvas: true });
  const heard = tone(sound === "silence" ? 0 : 1);
  heard.track.enabled = sound !== "a track that is disabled";
  stream.addTrack(heard.track);
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8,opus" });
  const blobs = [];
  recorder.addEventListener("dataavailable", ({ data }) => blobs.push(data));
  const recording = Recording.attach(recorder);
  recorder.start(100);

  return {
    /** Resolves when another so many seconds are recorded. */
    async more(seconds) {
      const until = recording.duration + seconds;
      while (recording.duration < until) {
        if (recorder.state !== "recording") throw new Error(`the recorder is ${recorder.state} at ${recording.duration} s`);
        await wait(10);
      }
    },

    /** Keeps the page busy for so many seconds. */
    busy(seconds) {
      for (const until = performance.now() + 1000 * seconds; performance.now() < until; );
    },

    /** Ends the recording and uploads what was delivered and what is made of it. */
    async finish(name) {
      const report = await recording.finish();
      for (const track of stream.getTracks()) track.stop();
      end();
      await heard.end();
      await upload(`${name}/delivered`, blobs);
      await upload(`${name}/seekable`, [await recording.seekable()]);
      await upload(`${name}/clip`, [(await recording.clip({ start: 0, end: Infinity })).blob]);
      return report;
    },
  };
}
