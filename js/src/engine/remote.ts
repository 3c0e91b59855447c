// The page's side of the worker, which sends the same calls as messages. Loaded on demand.

import type { ErrorCode } from "../base/codes.js";
import { WebmendError } from "../base/error.js";
import type { EngineCalls, StreamCalls, StreamOptions, Told } from "./calls.js";

/** What the page asks of an object of the worker: the engine with which it begins is number 0. */
export interface Call {
  call: number;
  object: number;
  method: string;
  args: unknown[];
  /** Whether fragments are wanted with the answer. */
  fragments?: boolean;
}

/** What the worker answers: a value or an error. */
export interface Answer {
  call: number;
  value?: unknown;
  error?: { code: ErrorCode; message: string; offset: number; path: string };
  /** What is new of the stream. */
  told?: Told;
}

/** Where an engine or a stream is. */
export interface Remote {
  object: number;
  handle: number;
}

/**
 * Has the worker answer a call, and tells what is new of the stream. Bytes that are its
 * first argument go there, and are no longer here.
 */
type Ask = (call: Omit<Call, "call">, tell?: (told: Told) => void) => Promise<unknown>;

function connect(worker: Worker): Ask {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.call)!(data);
    waiting.delete(data.call);
  };
  return (call, tell) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, ({ value, error, told }) => {
        if (told) tell?.(told);
        if (error) reject(new WebmendError(error));
        else resolve(value);
      });
      const [bytes] = call.args;
      worker.postMessage({ ...call, call: last } satisfies Call, ArrayBuffer.isView(bytes) ? [bytes.buffer as ArrayBuffer] : []);
    });
}

class RemoteEngine implements EngineCalls {
  readonly #ask: Ask;
  readonly #object: number;

  constructor(ask: Ask, object: number) {
    this.#ask = ask;
    this.#object = object;
  }

  async open(options: StreamOptions): Promise<StreamCalls> {
    return new RemoteStream(this.#ask, await this.#make("open", options));
  }

  async another(): Promise<EngineCalls> {
    return new RemoteEngine(this.#ask, (await this.#make("another")).object);
  }

  close(): void {
    this.#make("close");
  }

  #make(method: string, ...args: unknown[]): Promise<Remote> {
    return this.#ask({ object: this.#object, method, args }) as Promise<Remote>;
  }
}

const methods = ["push", "lost", "finish", "recover", "plan", "join", "complete", "edit", "closePlan", "read"] as const;

interface RemoteStream extends Pick<StreamCalls, (typeof methods)[number]> {}
class RemoteStream implements StreamCalls {
  readonly #ask: Ask;
  readonly #object: number;
  readonly handle: number;
  #fragments = false;
  #told: Told[] = [];
  #memory = 0;

  constructor(ask: Ask, { object, handle }: Remote) {
    this.#ask = ask;
    this.#object = object;
    this.handle = handle;
    for (const method of methods) this[method] = (...args: unknown[]) => this.#make(method, args) as Promise<never>;
  }

  /** Fragments come with the answers to later calls. */
  take(fragments = false): Told {
    this.#fragments ||= fragments;
    const told = this.#told.splice(0);
    return {
      stored: told.flatMap((t) => t.stored),
      clusters: told.flatMap((t) => t.clusters),
      report: told.findLast((t) => t.report)?.report ?? null,
      memory: (this.#memory = told.at(-1)?.memory ?? this.#memory),
    };
  }

  close(): void {
    this.#make("close", []).catch(() => {}); // it may have been closed before
  }

  #make(method: string, args: unknown[]): Promise<unknown> {
    return this.#ask({ object: this.#object, method, args, fragments: this.#fragments }, (told) => this.#told.push(told));
  }
}

/** Starts the worker that `make` makes. Rejects where there is none to be had. */
export async function startWorker(module: WebAssembly.Module, make: () => Worker | Promise<Worker>): Promise<EngineCalls> {
  const worker = await make();
  await new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = (event) => {
      event.preventDefault(); // it is no error of the page
      reject(event);
    };
    worker.postMessage(module);
  });
  return new RemoteEngine(connect(worker), 0);
}
