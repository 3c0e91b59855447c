// A drawn scene with sound, for where there is no camera: a ball that bounces on a
// row of bars, and a note each time, so that picture and sound can be compared.

const notes = [261.6, 329.6, 392, 523.3, 440, 392, 329.6, 293.7]; // Hz
const beat = 0.5; // seconds
const width = 640;
const height = 360;

/** Starts the scene. It is not played aloud: only its stream has the sound. */
export function openScene() {
  const audio = new AudioContext();
  audio.resume().catch(() => {}); // not awaited: without a sound device it may never answer
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const picture = canvas.getContext("2d", { alpha: false });
  const sound = audio.createMediaStreamDestination();
  const play = instrument(audio, sound);

  let frame = 0;
  let lastBeat = -1;
  let request = 0;
  const began = performance.now();
  const next = () => {
    const time = (performance.now() - began) / 1000;
    const now = Math.floor(time / beat);
    if (now !== lastBeat) play(notes[now % notes.length]);
    lastBeat = now;
    draw(picture, time, frame++);
    request = requestAnimationFrame(next);
  };
  next();

  const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...sound.stream.getTracks()]);
  const stop = () => {
    cancelAnimationFrame(request);
    stream.getTracks().forEach((track) => track.stop());
    audio.close();
  };
  return { stream, stop };
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
const barTop = (i) => height - 34 - (notes[i] - 240) / 3.2;

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
