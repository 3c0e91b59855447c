// The messages to a worker and back, until it ends or answers no more.

import type { ErrorCode } from "../base/codes.js";
import { WebmendError } from "../base/error.js";
import type { Place, Told } from "./calls.js";

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
  /** What is new of the stream, and how far it has come. */
  told?: Told;
  place?: Place;
}

/** How long a worker may take to load and start, in milliseconds. */
const startTime = 15_000;

/**
 * After how long without an answer it is asked whether it is there, and how long it may take
 * to say so: longer than it is busy without a pause. A false alarm costs no more than time.
 */
const quietTime = 5_000;
const patience = 15_000;

/** A worker that does not run loses what waits for it, and is ended. */
export class Link {
  readonly #worker: Worker;
  readonly #died: () => void;
  readonly #waiting = new Map<number, { done(answer: Answer): void; fail(error: WebmendError): void }>();
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: WebmendError | null = null;

  /** @param died is called once, when the worker has ended or answers no more */
  constructor(worker: Worker, died: () => void) {
    this.#worker = worker;
    this.#died = died;
    worker.onmessage = ({ data }: MessageEvent<Answer | null>) => this.#hear(data ?? { call: 0 });
    worker.onerror = (event) => {
      event.preventDefault(); // it is no error of the page
      this.#end(`it failed: ${event.message}`);
    };
    worker.addEventListener("messageerror", () => this.#end("what it answers cannot be read")); // Chromium's have no onmessageerror
  }

  /** Gives the worker its module. Rejects if it does not start. */
  async start(module: WebAssembly.Module): Promise<void> {
    const started = this.#expect(0);
    this.#timer = setTimeout(() => this.#end("it did not start"), startTime);
    this.#worker.postMessage(module);
    await started;
  }

  /** Has the worker answer a call. Bytes that are its first argument go there, and are no longer here. */
  async ask(call: Omit<Call, "call">): Promise<Answer> {
    const answer = this.#expect(++this.#last);
    const [bytes] = call.args;
    if (!this.#error) this.#worker.postMessage({ ...call, call: this.#last } satisfies Call, ArrayBuffer.isView(bytes) ? [bytes.buffer as ArrayBuffer] : []);
    this.#timer ??= setTimeout(() => this.#ping(2), quietTime);
    return answer;
  }

  #expect(call: number): Promise<Answer> {
    return new Promise((done, fail) => {
      if (this.#error) fail(this.#error);
      else this.#waiting.set(call, { done, fail });
    });
  }

  #hear(answer: Answer): void {
    this.#waiting.get(answer.call)?.done(answer);
    this.#waiting.delete(answer.call);
    clearTimeout(this.#timer);
    this.#timer = this.#waiting.size > 0 ? setTimeout(() => this.#ping(2), quietTime) : undefined;
  }

  /** Asks whether the worker is there. After a time in which the page did not run either, it is asked again. */
  #ping(times: number): void {
    const asked = Date.now();
    this.#worker.postMessage(null);
    this.#timer = setTimeout(() => {
      const stood = Date.now() - asked > patience + quietTime;
      if (stood && times > 1) this.#ping(times - 1);
      else this.#end("it does not answer");
    }, patience);
  }

  #end(why: string): void {
    if (this.#error) return;
    this.#error = new WebmendError({ code: "worker", message: `webmend: the worker has ended: ${why}` });
    clearTimeout(this.#timer);
    this.#worker.terminate();
    for (const { fail } of this.#waiting.values()) fail(this.#error);
    this.#waiting.clear();
    this.#died();
  }
}
