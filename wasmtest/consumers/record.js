// What each page does with the package: it records a picture and a tone, and plays
// what comes of them.

let instances = 0; // of the module, in the page
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    instances++;
    return new target(...args);
  },
});

export async function record({ init, Recording }, worker = false) {
  instances = 0;
  await init({ worker });
  const stream = source();
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8,opus" });
  const recording = Recording.attach(recorder);
  const segments = [];
  const read = recording.segments().pipeTo(
    new WritableStream({
      write(segment) {
        segments.push(segment);
        if (segments.length === 5) recorder.stop();
      },
    }),
  );
  recorder.start(100);
  const report = await recording.finished;
  await read;
  for (const track of stream.getTracks()) track.stop();
  const seekable = await recording.seekable();
  return {
    inPage: instances > 0,
    bytes: report.bytes,
    segments: segments.length,
    dropped: report.dropped.length,
    recorded: recording.duration,
    streamed: await play(new Blob(segments.map((s) => s.blob()), { type: recording.mimeType })),
    seekable: await play(seekable),
  };
}

function source() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let n = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${5 * ++n} 80% 60%)`;
    context.fillRect((5 * n) % 300, 40, 100, 100);
  }, 40);
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  const tone = audio.createMediaStreamDestination();
  oscillator.connect(tone);
  oscillator.start();
  return new MediaStream([...canvas.captureStream().getTracks(), ...tone.stream.getTracks()]);
}

/** Plays a file to its end. */
async function play(file) {
  const video = document.createElement("video");
  document.body.append(video);
  video.src = URL.createObjectURL(file);
  let duration; // as it is told at first
  await new Promise((resolve, reject) => {
    video.onerror = () => reject(new Error(video.error.message));
    video.onloadedmetadata = () => (duration = video.duration);
    video.onended = resolve;
    video.playbackRate = 2;
    video.play().catch(reject);
  });
  return { finite: Number.isFinite(duration), duration: video.duration, reached: video.currentTime, width: video.videoWidth };
}
