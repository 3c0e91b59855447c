// Scripts that never come. Each test throws what is wrong.

const recorded = new Uint8Array(await (await fetch("/testdata/chromium-noalpha-03-vp8opus-ts250.webm")).arrayBuffer());

function equal(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what} is ${a}; want ${b}`);
}

export const tests = {
  async "without the worker's script the page does the work"() {
    const { init, Recording } = await import("/pages-only/index.js");
    const { Worker } = globalThis;
    globalThis.Worker = class {
      constructor() {
        throw new Error("there is a worker");
      }
    };
    try {
      await init({ worker: true });
      const recording = new Recording();
      for (let at = 0; at < recorded.length; at += 100_000) await recording.pushChunk(recorded.subarray(at, at + 100_000));
      const { bytes, dropped } = await recording.finish();
      equal([bytes, dropped], [recorded.length, []], "what was taken");
      equal((await recording.seekable()).size > 0, true, "whether there is a file");
    } finally {
      globalThis.Worker = Worker;
    }
  },

  async "where the script for copies on disk never comes there is a warning, and the recording goes on in memory"() {
    const { init, Recording, WebmendError } = await import("/hanging/index.js");
    await init(); // all else is there
    const { setTimeout } = globalThis;
    const waiting = [];
    globalThis.setTimeout = (over, ms, ...args) => {
      if (ms !== 20_000) return setTimeout(over, ms, ...args);
      waiting.push(() => over(...args));
    };
    try {
      const warnings = [];
      const recording = new Recording({ spool: { onWarning: (warning) => warnings.push(warning) } });
      const pushed = recording.pushChunk(recorded);
      const left = Recording.recoverable().catch((error) => error);
      await new Promise((resolve) => recording.addEventListener("change", resolve, { once: true })); // it is split
      equal(warnings.length, 0, "how many warnings there are while it may come");
      for (const over of waiting) over();
      await pushed;
      equal(warnings.map((warning) => [warning instanceof WebmendError, warning.code, /spool.js could not be loaded \(no answer\)/.test(warning.message)]), [[true, "spool", true]], "its warnings");
      const error = await left;
      equal([error instanceof WebmendError, error.code], [true, "load"], "why it is not known what is left");
      await recording.pushChunk(recorded);
      const { bytes } = await recording.finish();
      equal(bytes, 2 * recorded.length, "what was taken");
      equal((await recording.seekable()).size > 0, true, "whether there is a file");
      await recording.discard();
    } finally {
      globalThis.setTimeout = setTimeout;
    }
  },
};
