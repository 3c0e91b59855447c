// Functions of the page's that are called back, and break: nothing of a recording does. Each
// test throws what is wrong.

import * as webmend from "/dist/index.js";
import { broken, callbacks as common } from "./callable.mjs";
import { codes, equal, nothingLeft, recorded, same, withOther } from "./spool.mjs";

const wanted = new Uint8Array(await (await webmend.repair(new Blob([recorded]))).blob.arrayBuffer());

/** One takes itself for the copy on disk. */
const callbacks = { ...common, "returns another copy on disk": [() => ({ append: () => Promise.reject(broken()), close: 5, discard: 5 }), false] };

/** Does something with a callback, and checks what the page hears of it as its own error. */
async function calls([callback, heard], act) {
  const errors = [];
  const listen = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    errors.push(event.error);
  };
  addEventListener("error", listen, { capture: true });
  let called = 0;
  await act((...args) => {
    called++;
    return callback(...args);
  });
  await new Promise((resolve) => setTimeout(resolve));
  removeEventListener("error", listen, { capture: true });
  if (called === 0) throw new Error("it was not called");
  equal(errors.map((error) => error.message), heard ? Array(called).fill("in this test") : [], "what the page is told");
}

/** Records with a copy on disk that cannot be had. */
async function recordsInMemory({ Recording }, callback) {
  const warnings = [];
  const recording = new Recording({
    spool: {
      onWarning(warning) {
        warnings.push(warning);
        return callback(warning);
      },
    },
  });
  for (let at = 0; at < recorded.length; at += 100_000) await recording.pushChunk(recorded.subarray(at, at + 100_000));
  const { bytes, dropped } = await recording.finish();
  equal([bytes, dropped], [recorded.length, []], "what was taken");
  await same(await recording.seekable(), wanted, "the file that comes out");
  await recording.discard();
  equal(codes(warnings), [[true, "spool"]], "the warnings");
  await nothingLeft();
}

/** Where functions are called back. */
const places = {
  async "onWarning without Web Locks"(callback) {
    await withOther(navigator, "locks", undefined, () => recordsInMemory(webmend, callback));
  },

  async "onWarning without storage"(callback) {
    const refuse = () => { throw new DOMException("not in this test", "SecurityError"); };
    await withOther(navigator.storage, "getDirectory", refuse, () => withOther(indexedDB.constructor.prototype, "open", refuse, () => recordsInMemory(webmend, callback)));
  },

  async "onWarning where spool.js cannot be loaded"(callback) {
    const lonely = await import("/nowhere-near-the-module/index.js");
    await lonely.init({ wasm: "/dist/webmend.wasm" });
    await recordsInMemory(lonely, callback);
  },

  async "onProgress of seekable"(onProgress) {
    const recording = new webmend.Recording();
    await recording.pushChunk(recorded);
    await recording.finish();
    await same(await recording.seekable({ onProgress }), wanted, "the file that comes out");
    recording.close();
  },

  async "onError of preview"(onError) {
    const recording = new webmend.Recording();
    await recording.pushChunk(recorded);
    const video = document.createElement("video");
    await withOther(SourceBuffer.prototype, "appendBuffer", () => { throw new Error("no buffer in this test"); }, async () => {
      await new Promise((resolve) => {
        recording.preview(video, {
          onError(error) {
            resolve();
            return onError(error);
          },
        });
      });
    });
    await recording.finish();
    await same(await recording.seekable(), wanted, "the file that comes out");
    recording.close();
  },
};

export const tests = {};
for (const [place, act] of Object.entries(places)) {
  for (const [what, callback] of Object.entries(callbacks)) tests[`${place} that ${what} breaks nothing`] = () => calls(callback, act);
}
