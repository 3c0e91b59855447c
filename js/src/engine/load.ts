// Loads the module once, for all streams, in the page or in a worker.

import { late } from "../base/error.js";
import { boolean, checkOptions } from "../base/options.js";
import type { EngineCalls } from "./calls.js";
import { compile, wasmSource, type WasmSource } from "./compile.js";
import { Engine } from "./engine.js";
import { Instance } from "./module.js";

/** Options of `init`. */
export interface InitOptions {
  /** Where the module is. Default: `webmend.wasm` beside this script. */
  wasm?: WasmSource | undefined;
  /**
   * Whether recordings from now on, `repair` and `join` read and scan in a worker, off the
   * page's thread. They behave in the same way. Default false. The worker is
   * `worker.js` beside this script, if it is not inside; where there can be none, as in
   * Node, under a Content-Security-Policy or from another origin, the page does the work
   * itself.
   */
  worker?: boolean | undefined;
}

/** What `init` has chosen, and what has come of it. */
interface Choice {
  wasm?: WasmSource | undefined;
  worker: boolean;
  module?: Promise<WebAssembly.Module> | undefined;
  engine?: Promise<EngineCalls> | undefined;
}

let shipped: { module: () => WasmSource; worker: () => Worker | Promise<Worker>; scripts: () => Promise<unknown> };
let choice: Choice = { worker: false };
let own: Instance | undefined;

/** Says where the module is that the package came with, what makes its worker, and what loads the scripts that every recording may need. @internal */
export function ship(module: () => WasmSource, worker: () => Worker | Promise<Worker>, scripts: () => Promise<unknown>): void {
  shipped = { module, worker, scripts };
}

/**
 * Loads the module now, from elsewhere or for a worker, rather than when the first
 * recording needs it, and with it what makes files: recordings then need no network.
 *
 * Rejects with a WebmendError, of code `invalid-argument` if an option is wrong and of code
 * `load` if the module cannot be loaded. Then everything goes on with the module that was
 * loaded before; if there is none, the next use tries again.
 */
export async function init(options: InitOptions = {}): Promise<void> {
  const { wasm, worker = choice.worker } = checkOptions(options, { wasm: wasmSource, worker: boolean });
  const before = choice;
  if (wasm !== undefined) choice = { wasm, worker };
  else if (worker !== before.worker) choice = { wasm: before.wasm, worker, module: before.module };
  const chosen = choice;
  const scripts = shipped?.scripts(); // the command line ships none
  try {
    await load(chosen);
  } catch (error) {
    if (choice === chosen && before.engine) choice = before;
    throw error;
  }
  await scripts;
}

/** What recordings and files are scanned with. @internal */
export async function engine(): Promise<EngineCalls> {
  const chosen = choice;
  return load(chosen).catch((error) => {
    if (choice === chosen) throw error;
    return engine(); // by another `init`, or as this one failed
  });
}

function load(chosen: Choice): Promise<EngineCalls> {
  return (chosen.engine ??= start(chosen).catch((error) => {
    chosen.engine = chosen.module = undefined;
    throw error;
  }));
}

async function start(chosen: Choice): Promise<EngineCalls> {
  const module = await compiled(chosen);
  try {
    if (chosen.worker) return await (await late("remote.js", import("./remote.js"))).startWorker(module, shipped.worker, engine, () => (chosen.engine = undefined));
  } catch {} // there is no worker to be had
  return new Engine(module);
}

function compiled(chosen: Choice): Promise<WebAssembly.Module> {
  return (chosen.module ??= compile(() => chosen.wasm ?? shipped.module()));
}

/** The instance of whoever calls the module himself. @internal */
export async function instance(): Promise<Instance> {
  return (own ??= new Instance(await compiled(choice)));
}
