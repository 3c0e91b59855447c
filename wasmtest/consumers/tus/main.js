// Records while the example of js/README.md, which the test puts into recipe.js, uploads.

import { Recording } from "webmend";

function source() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let n = 0;
  setInterval(() => {
    // Noise, so that there is much to send.
    const noise = context.createImageData(canvas.width, canvas.height);
    crypto.getRandomValues(new Uint8Array(noise.data.buffer, 0, 60_000));
    context.putImageData(noise, 0, ++n % 100);
  }, 40);
  return canvas.captureStream();
}

/** Resolves to the SHA-256 of what should have been stored. */
globalThis.run = async () => {
  const stream = source();
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8", videoKeyFrameIntervalDuration: 500, videoBitsPerSecond: 8e6 });
  globalThis.recorder = recorder;
  const same = Recording.attach(recorder);
  const uploaded = import("./recipe.js");
  while (same.report.bytes < 1 << 20) await new Promise((resolve) => setTimeout(resolve, 100));
  for (const track of stream.getTracks()) track.stop();
  await uploaded;
  await same.finished;
  const parts = [];
  await same.parts({ order: "arrival" }).pipeTo(new WritableStream({ write: ({ blob }) => void parts.push(blob) }));
  const hash = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
};
