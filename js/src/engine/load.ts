// Loads the module once, for all streams, in the page or in a worker.

import { late } from "../base/error.js";
import type { EngineCalls } from "./calls.js";
import { compile, type WasmSource } from "./compile.js";
import { Engine } from "./engine.js";
import { Instance } from "./module.js";

/** Options of `init`. */
export interface InitOptions {
  /** Where the module is. Default: `webmend.wasm` beside this script. */
  wasm?: WasmSource;
  /**
   * Whether recordings from now on, `repair` and `join` read and scan in a worker, off the
   * page's thread. They behave in the same way. Default false. The worker is
   * `worker.js` beside this script, if it is not inside; where there can be none, as in
   * Node, under a Content-Security-Policy or from another origin, the page does the work
   * itself.
   */
  worker?: boolean;
}

let shipped: { module: () => WasmSource; worker: () => Worker | Promise<Worker> };
let source: WasmSource | undefined;
let inWorker = false;
let module: Promise<WebAssembly.Module> | undefined;
let current: Promise<EngineCalls> | undefined;
let own: Instance | undefined;

/** Says where the module is that the package came with, and what makes its worker. @internal */
export function ship(module: () => WasmSource, worker: () => Worker | Promise<Worker>): void {
  shipped = { module, worker };
}

/**
 * Loads the module now, from elsewhere or for a worker, rather than when the first
 * recording needs it. Rejects with a WebmendError if that fails; the next use tries again.
 */
export async function init(options: InitOptions = {}): Promise<void> {
  if (options.wasm !== undefined) {
    source = options.wasm;
    module = current = undefined;
  }
  if (options.worker !== undefined && options.worker !== inWorker) {
    inWorker = options.worker;
    current = undefined;
  }
  await engine();
}

/** What recordings and files are scanned with. @internal */
export function engine(): Promise<EngineCalls> {
  return (current ??= start().catch((error) => {
    current = undefined;
    throw error;
  }));
}

async function start(): Promise<EngineCalls> {
  const compiled = await compiledModule();
  try {
    if (inWorker) return await (await late("remote.js", import("./remote.js"))).startWorker(compiled, shipped.worker);
  } catch {} // there is no worker to be had
  return new Engine(compiled);
}

function compiledModule(): Promise<WebAssembly.Module> {
  return (module ??= compile(() => source ?? shipped.module()).catch((error) => {
    module = undefined;
    throw error;
  }));
}

/** The instance of whoever calls the module himself. @internal */
export async function instance(): Promise<Instance> {
  return (own ??= new Instance(await compiledModule()));
}
