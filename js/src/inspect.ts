// Lists every element of a file and finds what is wrong with it: `webmend/inspect`.

import type { Chunk, FileSource } from "./base/blobs.js";
import { tell, WebmendError } from "./base/error.js";
import { gather } from "./base/gather.js";
import { abortSignal, callback, checkOptions } from "./base/options.js";
import type { Element, HeaderFacts, Problem, Range, Report, Track } from "./base/types.js";
import type { ModuleReport } from "./engine/answers.js";
import { compile, wasmSource, type WasmSource } from "./engine/compile.js";
import { Instance, pieceLength } from "./engine/module.js";
import { Splitter, Walker } from "./engine/scan.js";
import { elementValue, blockValue, inspector, type BlockFacts, type InspectedElement } from "./media/elements.js";
import { Pieces } from "./media/pieces.js";

export { elementValue, blockValue, WebmendError };
export type { BlockFacts, Chunk, Element, FileSource, HeaderFacts, InspectedElement, Problem, Range, Report, Track, WasmSource };

/** Options of `inspect`. */
export interface InspectOptions {
  /** Ends it: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Is told how much of the file is done, from 0 to 1. */
  onProgress?: ((done: number) => void) | undefined;
  /** Is given each recording's header, as soon as that is complete, with where it is. */
  onHeader?: ((header: HeaderFacts & Range) => void) | undefined;
  /** Is given the elements in the order of the file, some at a time: masters before their children. */
  onElements?: ((elements: InspectedElement[]) => void) | undefined;
  /** Where the module is. Default: `webmend.wasm` beside this script. */
  wasm?: WasmSource | undefined;
}

/** What `inspect` has found. */
export interface Inspection {
  /** How many elements there were. */
  elements: number;
  /**
   * Accounts for every byte of the file. Its `error` says why there is nothing more:
   * the file is not WebM, say. Then the rest may not have been read, and `bytes` is
   * how many were.
   */
  report: Report;
  /** Where elements could not be listed, besides in what the report has as dropped or as its error. */
  problems: Problem[];
}

/** After how many bytes news are told: a splitter may go back a few bytes a great many times. */
const interval = 1 << 20;

/** How long the page may have to wait, in milliseconds. */
const patience = 10;

let beside: Promise<WebAssembly.Module> | undefined;

/** The module, which is compiled once if it is the one beside this script. */
function load(wasm: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (wasm !== undefined) return compile(() => wasm);
  return (beside ??= compile(() => new URL("./webmend.wasm", import.meta.url)).catch((error) => {
    beside = undefined;
    throw error;
  }));
}

/**
 * Goes through every element of a file, or of the chunks of one in order, and finds
 * what is wrong with it. A Blob is read a megabyte at a time and not kept, and the
 * page is let at its own work in between.
 *
 * After damage the list goes on where the recording does. Elements in what the report
 * has as dropped are listed as far as they can be told.
 *
 * That a file is damaged, or no WebM at all, is no error: the report has that.
 * Rejects with the signal's reason if that ends it, and with a WebmendError if the
 * file or the module cannot be read; what was found until then has been given.
 */
export async function inspect(source: FileSource, options: InspectOptions = {}): Promise<Inspection> {
  options = checkOptions(options, { signal: abortSignal, onProgress: callback, onHeader: callback, onElements: callback, wasm: wasmSource });
  const { signal, onProgress, onHeader } = options;
  signal?.throwIfAborted();
  const { file, starts } = await gather(source, "the file");
  const instance = new Instance(await load(options.wasm));
  const pieces = new Pieces(file);
  const splitter = new Splitter(instance, true);
  const pause = pauses(signal);
  const walk = new Walk(instance, pieces, pause, options.onElements);

  let seen = 0; // the most of the file that the splitter has had
  let followed = 0; // where it was when its news were told
  let news = false;
  let over = false; // it finds nothing more

  /** Has the elements listed of what has come to be known. */
  const follow = async (report: ModuleReport) => {
    const { at } = splitter;
    const told: Told[] = [];
    const note = (ranges: Range[], whole: boolean) => {
      for (const { start, end } of ranges) if (end > walk.at) told.push({ start, end, whole });
    };
    for (let header; (header = splitter.takeHeader()); ) {
      note([header], true);
      tell(onHeader, header);
    }
    const { error } = report;
    if (error?.code === "missing") {
      // What no header is known for can be listed all the same.
      await walk.over({ start: walk.at, end: error.offset, whole: false });
      await walk.over({ start: walk.at, end: at, whole: walk.at === error.offset });
    }
    note(splitter.takeClusters(), true);
    note(report.other.filter((range) => range.end <= at), true); // Tracks after the clusters come after these
    note(report.dropped, false);
    for (const range of told.sort((a, b) => a.start - b.start)) await walk.over(range);
    if (error) await walk.over({ start: walk.at, end: at, whole: false });
  };

  try {
    for (;;) {
      while (splitter.at < file.size && !(over && walk.stopped)) {
        const begin = splitter.at;
        const bytes = await pieces.from(begin);
        for (let at = begin; at >= begin && at < begin + bytes.length; { at } = splitter) {
          const chunk = starts.findLastIndex((start) => start <= at);
          const end = Math.min(at + splitter.pace, starts[chunk + 1] ?? Infinity);
          const status = splitter.push(bytes.subarray(at - begin, end - begin), starts[chunk] !== at);
          news ||= status !== 0;
          over ||= status < 0;
          await pause();
        }
        seen = Math.max(seen, splitter.at);
        tell(onProgress, seen / file.size);
        if (!news || Math.abs(splitter.at - followed) < interval) continue;
        await follow(splitter.report());
        followed = splitter.at;
        news = false;
      }
      const { at } = splitter;
      const report = splitter.finish();
      if (splitter.at !== at) continue;
      await follow(report);
      await walk.finish();
      tell(onProgress, 1);
      return { elements: walk.elements, report: { ...report, missing: [] }, problems: walk.problemsBeside(report) };
    }
  } finally {
    walk.close();
  }
}

/** A range of the file: of whole elements, or dropped. */
interface Told extends Range {
  whole: boolean;
}

/** Lists the elements of one range after the other, and begins anew after damage. */
class Walk {
  /** What of the file it has gone over. */
  at = 0;
  elements = 0;
  /** Whether it finds nothing more in what it is in. */
  stopped = false;
  readonly #instance: Instance;
  readonly #walker: Walker;
  readonly #pieces: Pieces;
  readonly #pause: () => Promise<void>;
  readonly #onElements: InspectOptions["onElements"];
  readonly #inspected = inspector();
  readonly #problems: Problem[] = [];
  #dropped = false; // whether what comes before is
  #short = false; // whether the file lacks its first byte

  constructor(instance: Instance, pieces: Pieces, pause: () => Promise<void>, onElements: InspectOptions["onElements"]) {
    this.#instance = instance;
    this.#pieces = pieces;
    this.#pause = pause;
    this.#onElements = onElements;
    this.#walker = new Walker(instance);
  }

  async over({ start, end, whole }: Told): Promise<void> {
    await this.#to(start);
    if (whole && (this.stopped || this.#dropped)) {
      this.#walker.skip(this.at);
      this.stopped = false;
    }
    this.#dropped = !whole;
    await this.#to(end);
  }

  async finish(): Promise<void> {
    if (!this.stopped) this.#stop(this.#walker.finish());
    this.#give();
  }

  /** The problems that a report does not have. */
  problemsBeside({ dropped, error }: ModuleReport): Problem[] {
    const known = (p: Problem) => p.offset === error?.offset || dropped.some((d) => d.start <= p.offset && p.offset < d.end);
    return this.#problems.filter((p) => !known(p));
  }

  close(): void {
    if (!this.#instance.dead) this.#walker.close();
  }

  async #to(end: number): Promise<void> {
    while (this.at < end && !this.stopped) {
      const bytes = (await this.#pieces.from(this.at)).subarray(0, end - this.at);
      if (this.at === 0) this.#short = bytes[0] === 0x45;
      // Small pieces, as what they hold can be more text than bytes.
      for (let i = 0; i < bytes.length && !this.stopped; i += pieceLength) {
        const piece = bytes.subarray(i, i + pieceLength);
        this.#push(piece);
        this.#give();
        this.at += piece.length;
        await this.#pause();
      }
    }
    this.at = Math.max(this.at, end);
  }

  #push(bytes: Uint8Array): void {
    try {
      this.#walker.push(bytes);
    } catch (error) {
      if (!(error instanceof WebmendError) || error.code === "trap") throw error;
      const { code, message, offset, path } = error;
      this.#stop({ code, message, offset, path });
    }
  }

  #stop(problem: Problem | null): void {
    this.stopped = true;
    if (problem) this.#problems.push(problem);
  }

  /** Gives the elements that are new. */
  #give(): void {
    const elements = this.#walker.takeElements().map(this.#inspected);
    if (elements.length === 0) return;
    if (this.#short && elements[0]!.offset === 0) elements[0]!.headLength--; // the EBML header
    this.elements += elements.length;
    tell(this.#onElements, elements);
  }
}

/** Returns a function that lets the page at its work when that has waited long enough. */
function pauses(signal: AbortSignal | undefined): () => Promise<void> {
  let since = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - since < patience) return;
    await ((globalThis as { scheduler?: { yield?(): Promise<void> } }).scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve)));
    since = performance.now();
    signal?.throwIfAborted();
  };
}
