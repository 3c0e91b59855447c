// Functions of the caller's that are called back, and break: nothing else does.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, mock, test } from "node:test";
import { clip, init, join, Recording, repair } from "../dist/index.js";
import { inspect } from "../dist/inspect.js";
import { callbacks } from "../../wasmtest/page/callable.mjs";

const recorded = readFileSync(new URL("../../webm/testdata/chromium-noalpha-03-vp8opus-ts250.webm", import.meta.url));
const file = new Blob([recorded]);
await init({ wasm: readFileSync(new URL("../dist/webmend.wasm", import.meta.url)) });

async function finished(spool) {
  const recording = new Recording({ spool });
  await recording.pushChunk(recorded);
  const { bytes, dropped, recordings } = await recording.finish();
  await recording.discard();
  return { bytes, dropped, recordings };
}

async function made(job) {
  const { blob, start, end, report } = await job;
  return { bytes: Buffer.from(await blob.arrayBuffer()), start, end, report };
}

async function recording(make) {
  const recording = new Recording();
  await recording.pushChunk(recorded);
  return make(recording);
}

/** Where functions are called back, and what comes of it. */
const places = {
  "onWarning of spool": (onWarning) => finished({ onWarning }),
  "onProgress of seekable": (onProgress) => recording(async (r) => made({ blob: await r.seekable({ onProgress }) })),
  "onProgress of a recording's clip": (onProgress) => recording((r) => made(r.clip({ start: 0.5, end: 1, onProgress }))),
  "onProgress of repair": (onProgress) => made(repair(file, { onProgress })),
  "onProgress of join": (onProgress) => made(join([file, file], { onProgress })),
  "onProgress of clip": (onProgress) => made(clip(file, { start: 0.5, end: 1, onProgress })),
  "onProgress of inspect": (onProgress) => inspect(file, { onProgress }),
  "onHeader of inspect": (onHeader) => inspect(file, { onHeader }),
  "onElements of inspect": (onElements) => inspect(file, { onElements }),
};

for (const [place, act] of Object.entries(places)) {
  describe(`${place} breaks nothing`, () => {
    for (const [what, [callback, heard]] of Object.entries(callbacks)) {
      test(`if it ${what}`, async () => {
        const want = await act(() => {});
        const calls = mock.fn(callback);
        const says = mock.method(console, "error", () => {});
        try {
          assert.deepEqual(await act(calls), want);
          await new Promise((resolve) => setImmediate(resolve));
        } finally {
          says.mock.restore();
        }
        assert.ok(calls.mock.callCount() > 0, "it was not called");
        const said = says.mock.calls.map((call) => call.arguments[0].message);
        assert.deepEqual(said, heard ? Array(calls.mock.callCount()).fill("in this test") : []);
      });
    }
  });
}
