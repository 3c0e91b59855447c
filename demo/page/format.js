// Numbers in words that people read.

/** 1234567 → "1.2 MB" */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, name] = bytes < 999_500 ? [1e3, "KB"] : bytes < 999_500_000 ? [1e6, "MB"] : [1e9, "GB"];
  const n = bytes / unit;
  return `${n.toFixed(n < 99.95 ? 1 : 0)} ${name}`;
}

/** 1234567 → "1,234,567" */
export function count(n) {
  return n.toLocaleString("en");
}

/** 3, "cluster" → "3 clusters" */
export function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** 1.2345 → "1.234 s" */
export function seconds(s, digits = 3) {
  return `${s.toFixed(digits)} s`;
}

/** 75.4 → "1:15.4" */
export function clock(s) {
  const tenths = Math.floor(s * 10);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

const codecs = {
  V_VP8: "VP8",
  V_VP9: "VP9",
  V_AV1: "AV1",
  "V_MPEG4/ISO/AVC": "H.264",
  A_OPUS: "Opus",
  A_VORBIS: "Vorbis",
  "A_PCM/FLOAT/IEEE": "PCM",
};

/** A track → "VP8 video, 640 × 360" */
export function track(t) {
  const words = [`${codecs[t.codecId] ?? t.codecId} ${t.type}`];
  if (t.width) words.push(`${t.width} × ${t.height}`);
  if (t.sampleRate) words.push(`${t.sampleRate / 1000} kHz`);
  if (t.channels) words.push(["", "mono", "stereo"][t.channels] ?? `${t.channels} channels`);
  return words.join(", ");
}
