// What can be recorded, and in which codecs.

import { openScene } from "./scene.js";

/** Where a stream comes from, by the value of the page's choice. */
const open = {
  camera: () => device({ video: true, audio: true }).catch(withoutSound),
  microphone: () => device({ audio: true }),
  screen: () => display(),
  scene: openScene,
};

/**
 * Opens a source: its stream, and what stops it.
 * @returns {Promise<{ stream: MediaStream, stop: () => void }>}
 */
export function openSource(name) {
  return open[name]();
}

async function device(constraints) {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no devices here", "NotFoundError");
  return stoppable(await navigator.mediaDevices.getUserMedia(constraints));
}

/** A camera without a microphone is still a camera. */
function withoutSound(error) {
  if (error.name !== "NotFoundError") throw error;
  return device({ video: true });
}

async function display() {
  if (!navigator.mediaDevices?.getDisplayMedia) throw new DOMException("no screens here", "NotSupportedError");
  return stoppable(await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true }));
}

function stoppable(stream) {
  return { stream, stop: () => stream.getTracks().forEach((track) => track.stop()) };
}

/** The source to begin with: the best that this machine has. */
export async function likelySource() {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const kinds = new Set(devices.map((d) => d.kind));
  if (kinds.has("videoinput")) return "camera";
  return kinds.has("audioinput") ? "microphone" : "scene";
}

/** Why a source did not open, in a sentence. */
export function whyNot(name, error) {
  const thing = { camera: "camera", microphone: "microphone", screen: "screen", scene: "drawn scene" }[name];
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return `The browser was not allowed to use the ${thing}.`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `There is no ${thing} here.`;
    case "NotReadableError":
    case "AbortError":
      return `The ${thing} could not be opened: another program may be using it.`;
    case "NotSupportedError":
      return `This browser cannot record the ${thing}.`;
    default:
      return `The ${thing} could not be opened: ${error.message}`;
  }
}

// VP8 first: every browser that writes WebM has it, and it costs the least.
const video = [
  ["VP8 + Opus", "video/webm;codecs=vp8,opus"],
  ["VP9 + Opus", "video/webm;codecs=vp9,opus"],
  ["AV1 + Opus", "video/webm;codecs=av01,opus", "video/webm;codecs=av1,opus"],
  ["H.264 + Opus", "video/x-matroska;codecs=avc1,opus", "video/webm;codecs=h264,opus"],
];
const audio = [["Opus", "audio/webm;codecs=opus"]];

/**
 * What this browser can record of a source, as names with their media types.
 * @returns {{ name: string, mimeType: string }[]}
 */
export function formats(source) {
  if (typeof MediaRecorder === "undefined") return [];
  return (source === "microphone" ? audio : video)
    .map(([name, ...types]) => ({ name, mimeType: types.find((t) => MediaRecorder.isTypeSupported(t)) }))
    .filter((format) => format.mimeType);
}

/** The media type without a sound that is not there: Firefox would wait for it, and deliver nothing. */
export function typeFor(stream, mimeType) {
  return stream.getAudioTracks().length > 0 ? mimeType : mimeType.replace(",opus", "");
}
