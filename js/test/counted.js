// Counts the bytes that are pushed into the module, in the process that imports this first,
// and those that are read from files. The command line says it when it ends.

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

export const counted = { pushed: 0, read: 0 };

const { Instance } = WebAssembly;
WebAssembly.Instance = function (...args) {
  const exports = { ...new Instance(...args).exports };
  for (const name of ["pushChunk", "continueChunk"]) {
    const push = exports[name];
    exports[name] = (handle, length) => {
      counted.pushed += length;
      return push(handle, length);
    };
  }
  return { exports };
};

const { readSync } = fs;
fs.readSync = (...args) => {
  const n = readSync(...args);
  counted.read += n;
  return n;
};
syncBuiltinESMExports();

if (process.argv[1].endsWith("cli.js")) process.on("exit", () => fs.writeFileSync(2, JSON.stringify(counted)));
