// Node has no Worker as pages have; its own threads behind the same interface are
// one. That the worker works in a browser, wasmtest shows.

import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { Worker as Thread } from "node:worker_threads";
import { init } from "../dist/index.js";

const threads = new Set();

class Worker extends EventTarget {
  onmessage = null;
  onerror = null;
  #thread;

  constructor(url) {
    super();
    const inside = `
      const { parentPort } = require("node:worker_threads");
      globalThis.onmessage = null; // or it cannot be assigned to
      globalThis.postMessage = (message, options) => parentPort.postMessage(message, options?.transfer);
      import(${JSON.stringify(String(url))}).then(() => parentPort.on("message", (data) => globalThis.onmessage({ data })));`;
    this.#thread = new Thread(inside, { eval: true });
    this.#thread.on("message", (data) => this.onmessage?.({ data }));
    this.#thread.on("error", (error) => this.onerror?.({ message: error.message, preventDefault() {} }));
    threads.add(this.#thread);
  }

  terminate() {
    this.#thread.terminate();
  }

  postMessage(message, transfer) {
    this.#thread.postMessage(message, transfer);
  }
}

/** Runs tests with recordings that are scanned in the page, and then in a worker. */
export function inBoth(tests) {
  for (const worker of [false, true]) {
    describe(worker ? "in a worker" : "in the page", () => {
      before(async () => {
        if (worker) globalThis.Worker = Worker;
        await init({ worker });
        assert.equal(threads.size, worker ? 1 : 0);
      });
      after(async () => {
        delete globalThis.Worker;
        for (const thread of threads) await thread.terminate();
        threads.clear();
      });
      tests(worker);
    });
  }
}
