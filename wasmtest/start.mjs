// Prints how many milliseconds the npm package takes from a module's bytes to its
// first answer, in a process that has run nothing else, for link_test.go:
//
//   node start.mjs index.js webmend.wasm

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [script, wasm] = process.argv.slice(2);
const { init, Recording } = await import(pathToFileURL(script));
const bytes = readFileSync(wasm);
const start = performance.now();
await init({ wasm: bytes });
await new Recording().pushChunk(new Uint8Array([0x1a]));
console.log(performance.now() - start);
