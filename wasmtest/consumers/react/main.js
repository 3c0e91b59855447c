// A component with the hook of js/README.md, which the test puts into recorded.js.

import { createElement, StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { useRecorded } from "./recorded.js";

function Recorded({ stream, onFile }) {
  const file = useRecorded(stream);
  useEffect(() => {
    if (file) onFile(file);
  }, [file]);
  return "recording";
}

function source() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let n = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${5 * ++n} 80% 60%)`;
    context.fillRect((5 * n) % 300, 40, 100, 100);
  }, 40);
  return canvas.captureStream();
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// As in development, StrictMode takes each component away once and puts it back.
globalThis.run = async () => {
  const stream = source();
  const root = createRoot(document.body.appendChild(document.createElement("div")));
  const file = new Promise((resolve) => {
    root.render(createElement(StrictMode, null, createElement(Recorded, { stream, onFile: resolve })));
  });
  await wait(1500);
  for (const track of stream.getTracks()) track.stop();
  const video = document.createElement("video");
  video.src = URL.createObjectURL(await file);
  await new Promise((resolve, reject) => {
    video.onloadedmetadata = resolve;
    video.onerror = () => reject(new Error(video.error.message));
  });

  // Another that is taken away while it records.
  root.render(createElement(StrictMode, null, createElement(Recorded, { stream: source(), onFile() {} })));
  await wait(500);
  root.unmount();
  await wait(500);
  return video.duration;
};
