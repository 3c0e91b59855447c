// A drawn scene with sound, for where there is no camera: a ball that bounces on a
// row of bars, and a note each time, so that picture and sound can be compared. Each
// frame has its number painted on it, for people and as a row of squares to be read
// back: frame n is that of n thirtieths of a second, so that it tells the time too.

const notes = [261.6, 329.6, 392, 523.3, 440, 392, 329.6, 293.7]; // Hz
const beat = 0.5; // seconds
const width = 640;
const height = 360;

/** Frames a second. */
export const rate = 30;

/** Starts the scene. It is not played aloud: only its stream has the sound. */
export async function openScene() {
  const audio = new AudioContext();
  const audible = await runs(audio);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const picture = canvas.getContext("2d", { alpha: false });
  const sound = audio.createMediaStreamDestination();
  const play = instrument(audio, sound);

  let frame = -1;
  let lastBeat = -1;
  let request = 0;
  const began = performance.now();
  const next = () => {
    request = requestAnimationFrame(next);
    const time = (performance.now() - began) / 1000;
    if (Math.floor(time * rate) === frame) return;
    frame = Math.floor(time * rate);
    const now = Math.floor(time / beat);
    if (now !== lastBeat) play(notes[now % notes.length]);
    lastBeat = now;
    draw(picture, time, frame);
  };
  next();

  const stream = new MediaStream([...canvas.captureStream(rate).getTracks(), ...(audible ? sound.stream.getTracks() : [])]);
  const stop = () => {
    cancelAnimationFrame(request);
    stream.getTracks().forEach((track) => track.stop());
    audio.close();
  };
  return { stream, stop };
}

/**
 * Whether sound can be made. Without a sound device Firefox never answers, and a
 * recorder that waits for such a sound never delivers anything.
 */
function runs(audio) {
  const late = new Promise((resolve) => setTimeout(resolve, 500, false));
  return Promise.race([audio.resume().then(() => true, () => false), late]);
}

/** A function that plays a note: soft, with a short attack and a long fall. */
function instrument(audio, output) {
  const tone = new OscillatorNode(audio, { type: "triangle" });
  const volume = new GainNode(audio, { gain: 0 });
  tone.connect(volume).connect(output);
  tone.start();
  return (frequency) => {
    const now = audio.currentTime;
    tone.frequency.setValueAtTime(frequency, now);
    volume.gain.cancelScheduledValues(now);
    volume.gain.setTargetAtTime(0.25, now, 0.01);
    volume.gain.setTargetAtTime(0, now + 0.06, 0.14);
  };
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

function draw(c, time, frame) {
  const step = Math.floor(time / beat);
  const phase = still.matches ? 0 : (time / beat) % 1;
  sky(c, time);
  bars(c, step, phase);
  ball(c, step, phase);
  words(c, time, frame);
  squares(c, frame);
}

function sky(c, time) {
  const hue = still.matches ? 230 : 230 + 40 * Math.sin(time / 5);
  const fill = c.createLinearGradient(0, 0, 0, height);
  fill.addColorStop(0, `hsl(${hue} 55% 16%)`);
  fill.addColorStop(1, `hsl(${hue + 50} 45% 34%)`);
  c.fillStyle = fill;
  c.fillRect(0, 0, width, height);
}

const barWidth = width / notes.length;
const barTop = (i) => height - 44 - (notes[i] - 240) / 3.2;

function bars(c, step, phase) {
  notes.forEach((_, i) => {
    const struck = i === step % notes.length;
    const glow = struck ? 1 - phase : 0;
    c.fillStyle = `hsl(${200 + 20 * i} 70% ${48 + 30 * glow}%)`;
    c.beginPath();
    c.roundRect(i * barWidth + 6, barTop(i), barWidth - 12, height, [8, 8, 0, 0]);
    c.fill();
  });
}

/** The ball flies in an arc from one bar to the next. */
function ball(c, step, phase) {
  const from = step % notes.length;
  const to = (step + 1) % notes.length;
  const middle = (i) => (i + 0.5) * barWidth;
  const x = middle(from) + (middle(to) - middle(from)) * phase;
  const ground = barTop(from) + (barTop(to) - barTop(from)) * phase;
  const y = ground - 18 - 360 * phase * (1 - phase);
  c.fillStyle = "#ffd166";
  c.beginPath();
  c.arc(x, y, 16, 0, 2 * Math.PI);
  c.fill();
}

function words(c, time, frame) {
  c.fillStyle = "#fff";
  c.textBaseline = "top";
  c.font = "600 34px ui-monospace, monospace";
  c.fillText(time.toFixed(2).padStart(6, "0"), 24, 22);
  c.font = "16px ui-monospace, monospace";
  c.fillText(`frame ${frame}`, 26, 62);
  const clock = new Date().toLocaleTimeString("en-GB");
  c.fillText(clock, width - 26 - c.measureText(clock).width, 26);
}

// A white and a black square to compare with, the number in binary, and its parity.
const bits = 16;
const side = 16;
const left = (width - (bits + 3) * side) / 2;

function squares(c, frame) {
  const number = (frame % 2 ** bits).toString(2).padStart(bits, "0");
  const painted = `10${number}${parity(number)}`;
  c.fillStyle = "#000";
  c.fillRect(left - 4, height - side - 4, painted.length * side + 8, side + 4);
  c.fillStyle = "#fff";
  [...painted].forEach((bit, i) => bit === "1" && c.fillRect(left + i * side, height - side, side, side));
}

const parity = (number) => [...number].filter((bit) => bit === "1").length % 2;

/** The number on a frame of the scene, as a video or an image has it; null if there is none. */
export function frameOn(image) {
  const c = new OffscreenCanvas(width, height).getContext("2d");
  c.drawImage(image, 0, 0, width, height);
  const light = (i) => {
    const { data } = c.getImageData(left + i * side + side / 4, height - (3 * side) / 4, side / 2, side / 2);
    return data.reduce((sum, value, at) => sum + (at % 4 === 1 ? value : 0), 0) / (data.length / 4); // of green
  };
  const [white, black] = [light(0), light(1)];
  if (white - black < 100) return null;
  const read = Array.from({ length: bits + 1 }, (_, i) => Number(light(i + 2) > (white + black) / 2));
  const number = read.slice(0, bits).join("");
  return read[bits] === parity(number) ? parseInt(number, 2) : null;
}
