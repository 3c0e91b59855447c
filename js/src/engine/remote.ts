// The page's side of the worker, which sends the same calls as messages. Should the worker end,
// its streams go on in another or in the page. Loaded on demand.

import type { Bytes } from "../base/bytes.js";
import { late, WebmendError } from "../base/error.js";
import { native } from "../base/gather.js";
import type { EngineCalls, Hole, Past, Saved, StreamCalls, StreamOptions, Told } from "./calls.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import type { StepArgs, Stepped, Steps } from "./plans.js";

/** Where an engine or a stream is. */
export interface Remote {
  object: number;
  handle: number;
}

/** Resolves with the engine that is to be used once the worker has ended. */
type Next = () => Promise<EngineCalls>;

const ended = (error: unknown) => error instanceof WebmendError && error.code === "worker";

class RemoteEngine implements EngineCalls {
  readonly #link: Link;
  readonly #object: number;
  readonly #next: Next;

  constructor(link: Link, object: number, next: Next) {
    this.#link = link;
    this.#object = object;
    this.#next = next;
  }

  open(options: StreamOptions): Promise<StreamCalls> {
    return this.#orNext(
      async () => new RemoteStream(this.#link, await this.#make("open", options), options, this.#next),
      (engine) => engine.open(options),
    );
  }

  another(): Promise<EngineCalls> {
    return this.#orNext(
      async () => new RemoteEngine(this.#link, (await this.#make("another")).object, this.#next),
      (engine) => engine.another(),
    );
  }

  close(): void {
    this.#make("close").catch(() => {}); // with the worker
  }

  async #make(method: string, ...args: unknown[]): Promise<Remote> {
    const { value, error } = await this.#link.ask({ object: this.#object, method, args });
    if (error) throw new WebmendError(error);
    return value as Remote;
  }

  async #orNext<T>(here: () => Promise<T>, there: (engine: EngineCalls) => Promise<T>): Promise<T> {
    try {
      return await here();
    } catch (error) {
      if (!ended(error)) throw error;
      return there(await this.#next());
    }
  }
}

class RemoteStream implements StreamCalls {
  readonly #link: Link;
  readonly #object: number;
  readonly #options: StreamOptions;
  readonly #next: Next;
  readonly handle: number;
  #log: Log | null; // of a stream that goes on elsewhere if it must
  #elsewhere: StreamCalls | null = null; // once it does
  #fragments = false;
  #told: Told[] = [];
  #memory = 0;
  #closed = false;

  constructor(link: Link, { object, handle }: Remote, options: StreamOptions, next: Next) {
    this.#link = link;
    this.#object = object;
    this.#options = options;
    this.#next = next;
    this.handle = handle;
    this.#log = options.wanted === "nothing" ? null : new Log(options);
  }

  async push(piece: Blob | Bytes, at?: number): Promise<number> {
    if (this.#elsewhere) return this.#elsewhere.push(piece, at);
    const sent = ArrayBuffer.isView(piece) ? piece : await native(piece).catch((error: WebmendError) => ({ size: piece.size, unreadable: String(error.cause) }));
    this.#log?.push(sent);
    return this.#make("push", [sent, at]) as Promise<number>;
  }

  lost(): Promise<void> {
    this.#log?.lost();
    return this.#make("lost", []) as Promise<void>;
  }

  finish(): Promise<number> {
    this.#log?.finish();
    return this.#make("finish", []) as Promise<number>;
  }

  read(start: number, end: number): Promise<Bytes> {
    return this.#make("read", [start, end]) as Promise<Bytes>;
  }

  /** The worker has the steps. */
  step<Name extends keyof Steps>(steps: Steps, name: Name, ...args: StepArgs<Name>): Promise<Stepped<Name>> {
    if (this.#elsewhere) return this.#elsewhere.step(steps, name, ...args);
    return this.#make("step", [null, name, ...args]) as Promise<Stepped<Name>>;
  }

  /** Fragments come with the answers to later calls. */
  take(fragments = false): Told {
    if (this.#elsewhere) return this.#elsewhere.take(fragments);
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
    this.#closed = true;
    if (this.#elsewhere) this.#elsewhere.close();
    else this.#make("close", []).catch(() => {}); // it may have been closed before
  }

  /** Scans again in the worker or, if that has ended, elsewhere. */
  async recover(past: Past[], saved?: Saved): Promise<Hole | null> {
    if (saved) this.#log = new Log(this.#options, saved);
    try {
      return (await this.#make("recover", [past, saved])) as Hole | null;
    } catch (error) {
      if (!ended(error) || !this.#log) throw error;
    }
    const stream = await (await this.#next()).open(this.#options);
    try {
      const hole = await stream.recover(past, this.#log.saved());
      this.#elsewhere = stream;
      this.#log = null;
      return hole;
    } finally {
      if (this.#closed || !this.#elsewhere) stream.close();
    }
  }

  async #make(method: string, args: unknown[]): Promise<unknown> {
    if (this.#elsewhere) return (this.#elsewhere as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!(...args);
    const { value, error, told, place } = await this.#link.ask({ object: this.#object, method, args, fragments: this.#fragments });
    if (told) {
      this.#told.push(told);
      this.#log?.told(told, place!);
    }
    if (error) throw new WebmendError(error);
    return value;
  }
}

/**
 * How often workers of the package have ended: after the second the page does the work itself.
 * By what makes them, as another copy of the package can have this script.
 */
const ends = new WeakMap<() => unknown, number>();

/** Starts the worker that `make` makes. Rejects where there is none to be had. `died` is called when it has ended. */
export async function startWorker(module: WebAssembly.Module, make: () => Worker | Promise<Worker>, next: Next, died: () => void): Promise<EngineCalls> {
  const before = ends.get(make) ?? 0;
  if (before > 1) throw new Error("two workers have ended");
  let runs = false;
  const link = new Link(await make(), () => {
    ends.set(make, before + 1);
    if (runs) died();
  });
  await link.start(module);
  runs = true;
  late("midstream.js", import("./midstream.js")).catch(() => {}); // for the page, which could not have it then
  return new RemoteEngine(link, 0, next);
}
