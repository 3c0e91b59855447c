// Records with Firefox's MediaRecorder, and gives webmend what it records while it
// is recorded; and so the module as it was compiled.

import { Recording } from "/dist/index.js";
import { init as initPlain, Recording as PlainRecording } from "/dist/index.js?with-the-module-as-compiled";
import { watchBlob } from "/page/seek.mjs";

await initPlain({ wasm: "/dist/webmend.plain.wasm" });

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A canvas that moves, or the fake camera, and the fake microphone: an AudioContext needs a sound device. */
export async function sources({ canvas, camera, microphone }) {
  const stream = camera || microphone ? await navigator.mediaDevices.getUserMedia({ video: camera, audio: microphone }) : new MediaStream();
  if (!canvas) return { stream, end() {} };
  const picture = document.createElement("canvas");
  Object.assign(picture, { width: 320, height: 240 });
  document.body.append(picture);
  const context = picture.getContext("2d");
  let n = 0;
  const timer = setInterval(() => {
    n++;
    context.fillStyle = `hsl(${3 * n} 80% 60%)`;
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = "black";
    context.fillRect((5 * n) % 320, 40, 100, 100);
    context.fillText(String(n), 20, 200);
  }, 40);
  stream.addTrack(picture.captureStream().getVideoTracks()[0]);
  return { stream, end: () => (clearInterval(timer), picture.remove()) };
}

export async function record(config) {
  const { stream, end } = await sources(config);
  const recorder = new MediaRecorder(stream, config.mimeType && { mimeType: config.mimeType });
  const recording = new Recording();
  const plain = new PlainRecording();
  const told = { blobs: [], afterStop: 0, early: 0 };
  const blobs = [];
  const headers = [];
  const clusters = [];
  const parts = (recording) => {
    const headers = [];
    for (let header; (header = recording.takeHeader()); ) headers.push(header);
    return [headers, recording.takeClusters()];
  };
  const take = () => {
    const [h, c] = parts(recording);
    headers.push(...h);
    clusters.push(...c);
  };
  let stop;
  let enough;
  const stopped = new Promise((resolve, reject) => ((stop = resolve), (recorder.onerror = (event) => reject(event.error))));
  const recorded = new Promise((resolve) => (enough = resolve));
  let over = false;
  recorder.ondataavailable = async ({ data }) => {
    blobs.push(data);
    plain.pushChunk(data);
    if (over) told.afterStop++;
    await recording.pushChunk(data);
    take();
    if (clusters.length >= 2) enough();
  };
  recorder.onstop = () => ((over = true), stop());
  recorder.start(config.timeslice);
  if (!config.atOnce) {
    await (config.timeslice ? recorded : wait(2500));
    told.early = clusters.length;
    recorder.requestData();
    recorder.requestData(); // with nothing new
  }
  if (config.ends) for (const track of stream.getTracks()) track.stop();
  else recorder.stop();
  await stopped;
  await wait(0);
  const came = blobs.length;
  for (const track of stream.getTracks()) track.stop();
  end();
  const report = await recording.finish();
  take();
  await wait(200);
  told.late = blobs.length - came;

  told.blobs = blobs.map((b) => b.size);
  told.empty = blobs.filter((b) => b.size === 0).length;
  told.recorderType = recorder.mimeType;
  told.mimeType = recording.mimeType;
  told.duration = recording.duration;
  told.dropped = report.dropped;
  told.headers = headers.length;
  told.clusters = clusters.length;
  const upload = async (name, parts) => {
    const response = await fetch(`/upload/${config.name}/${name}`, { method: "POST", body: new Blob(parts) });
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
  };
  await upload("stream", blobs);
  await upload("webmend.wasm", [...headers, ...clusters].map((part) => part.blob()));
  await plain.finish();
  await upload("webmend.plain.wasm", parts(plain).flat().map((part) => part.blob()));
  told.hasVideo = recording.tracks.some((track) => track.type === "video");
  told.seekable = await watchBlob(await recording.seekable(), told.hasVideo && recording.duration > 0.1, (duration) => (duration > 0.1 ? [duration / 2, 0] : []));
  return told;
}
