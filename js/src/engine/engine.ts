// An instance of the module that streams share.

import type { EngineCalls, StreamOptions } from "./calls.js";
import { Instance } from "./module.js";
import { Stream } from "./stream.js";

/** Streams that share an instance of the module. */
export class Engine implements EngineCalls {
  readonly #module: WebAssembly.Module;
  #instance: Instance | null = null;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  async open(options: StreamOptions): Promise<Stream> {
    if (!this.#instance || this.#instance.dead) this.#instance = new Instance(this.#module);
    return new Stream(this.#module, this.#instance, options);
  }

  async another(): Promise<Engine> {
    return new Engine(this.#module);
  }

  close(): void {
    this.#instance = null;
  }
}
