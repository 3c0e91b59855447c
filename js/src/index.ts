// The package, with its module and its worker in files beside it.

import { ship } from "./load.js";

export * from "./api.js";

// As they stand: bundlers look for these.
ship(
  () => new URL("./webmend.wasm", import.meta.url),
  () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
);
