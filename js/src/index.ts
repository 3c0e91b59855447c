// The main entry of the package, with the module and the worker in files beside it.

import { ship } from "./engine/load.js";
import { scripts } from "./files.js";

export * from "./api.js";

// As they stand: bundlers look for these.
ship(
  () => new URL("./webmend.wasm", import.meta.url),
  () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
  scripts,
);
