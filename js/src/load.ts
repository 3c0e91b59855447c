// One instance of the module serves every recording of a page.

import type { WasmSource } from "./module.js";
import { compile, Instance } from "./module.js";

/** Options of `init`. */
export interface InitOptions {
  /** Where the module is. Default: `webmend.wasm` beside this script. */
  wasm?: WasmSource;
}

let source: WasmSource | undefined;
let module: Promise<WebAssembly.Module> | undefined;
let current: Instance | undefined;

/**
 * Loads the module now, or from elsewhere, rather than when the first recording
 * needs it. Rejects with a WebmendError if that fails; the next use tries again.
 */
export async function init(options: InitOptions = {}): Promise<void> {
  if (options.wasm !== undefined) {
    source = options.wasm;
    module = current = undefined;
  }
  await instance();
}

/** The shared instance, or another one after it has trapped. */
export async function instance(): Promise<Instance> {
  module ??= compile(source ?? new URL("./webmend.wasm", import.meta.url)).catch((error) => {
    module = undefined;
    throw error;
  });
  const compiled = await module;
  if (!current || current.dead) current = new Instance(compiled);
  return current;
}
