// How many milliseconds the npm package takes from a module to its first answer, for
// start_test.go: in a page, or as a program in Node:
//
//   node start.mjs index.js webmend.wasm

const pause = () => new Promise((resolve) => setTimeout(resolve, 200));

async function start({ init, Recording }, wasm) {
  const begin = performance.now();
  await init({ wasm });
  await new Recording().pushChunk(new Uint8Array([0x1a]));
  return performance.now() - begin;
}

/** In a frame of its own, where the package has not been used. */
async function startInFrame(wasm) {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  try {
    const script = frame.contentDocument.createElement("script");
    const loaded = new Promise((resolve) => (frame.contentWindow.loaded = resolve));
    script.type = "module";
    script.textContent = `import * as webmend from "/dist/index.js"; loaded(webmend)`;
    frame.contentDocument.head.append(script);
    const webmend = await loaded;
    await pause();
    return await start(webmend, wasm);
  } finally {
    frame.remove();
  }
}

/** From bytes that the browser has never seen, for those it has seen it may have compiled. */
export async function cold(name) {
  const module = await (await fetch(`/upload/${name}`)).blob();
  const unique = Uint8Array.of(0, 17, 0, ...crypto.getRandomValues(new Uint8Array(16))); // a custom section without a name
  return startInFrame(await new Blob([module, unique]).arrayBuffer());
}

/** From an address whose module the browser has loaded before. */
export const warm = (name) => startInFrame(`${location.origin}/upload/${name}`);

if (!globalThis.document) {
  const { readFileSync } = await import("node:fs");
  const { pathToFileURL } = await import("node:url");
  const [script, wasm] = process.argv.slice(2);
  console.log(await start(await import(pathToFileURL(script)), readFileSync(wasm)));
}
