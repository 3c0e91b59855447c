// An instance of the module that streams share.

import type { EngineCalls, StreamOptions } from "./calls.js";
import { Instance } from "./module.js";
import { Stream } from "./stream.js";

/** Streams that share an instance of the module. */
export class Engine implements EngineCalls {
  readonly #module: WebAssembly.Module;
  #instance: Instance;

  /** Throws a WebmendError of code `load` if the module is not that of the package. */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#instance = new Instance(module);
  }

  async open(options: StreamOptions): Promise<Stream> {
    if (this.#instance.dead) this.#instance = new Instance(this.#module);
    return new Stream(this.#module, this.#instance, options);
  }

  async another(): Promise<Engine> {
    return new Engine(this.#module);
  }

  /** The memory goes with the object. */
  close(): void {}
}
