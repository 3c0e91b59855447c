// An instance of the WebAssembly module: making one, and calling its exports.

import { WebmendError } from "../base/error.js";
import type { Problem } from "../base/types.js";
import { numbers, type Numbers, type ToldCluster, type ToldForm } from "./answers.js";
import { notLoaded } from "./compile.js";
import { wasi } from "./wasi.js";

/** The version of the calls below. wasm/reactor.go has the same number. */
const version = 1;

interface Exports {
  memory: WebAssembly.Memory;
  _initialize?(): void;
  version?(): number;
  reserve(length: number): number;
  result(): number;
  // What is undefined is 0 for the module.
  open(kind: number, flags: number, headerSize: number | undefined, tracks: number | undefined, depth: number, clusterSize: number | undefined): number;
  pushChunk(handle: number, length: number): number;
  continueChunk(handle: number, length: number): number;
  lost(handle: number): number;
  skip(handle: number, offset: number): number;
  rewind(handle: number): number;
  needed(handle: number): number;
  takeHeader(handle: number): number;
  takeClusters(handle: number): number;
  takeFragments(handle: number): number;
  takeForms(handle: number): number;
  takeElements(handle: number): number;
  report(handle: number): number;
  finish(handle: number): number;
  lastError(handle: number): number;
  close(handle: number): number;
  plan(handle: number, kind: number, recording: number, flags: number, a?: number, b?: number): number;
  join(count: number, flags: number): number;
  takePlan(handle: number): number;
  takeLiterals(handle: number): number;
  edit(handle: number, index: number): number;
  takePatches(handle: number): number;
}

type Answer =
  | "takeHeader"
  | "takeElements"
  | "report"
  | "finish"
  | "lastError"
  | "takePlan"
  | "takeLiterals";

type AnswerInNumbers = "takeClusters" | "takeFragments" | "takeForms" | "takePatches";

/** How many bytes go into the module at once: larger is no faster, and takes memory. */
export const pieceLength = 64 << 10;

/** How many after a rewind, as the next is often near. */
const firstLength = 1 << 10;

/** What a stream may be, and ask of memory. What is not given is as the module has it. */
export interface SplitOptions {
  strict?: boolean;
  /** Whether `rewind` will be asked. */
  rewinds?: boolean;
  /** Whether any byte of the stream can be pushed at any time: then `rewind` goes forward, too. */
  seeks?: boolean;
  headerSize?: number;
  tracks?: number;
  clusterSize?: number;
}

/** One instance of the module, for any number of streams. */
export class Instance {
  /** Whether it has trapped: then nothing it says can be trusted. */
  dead = false;
  /** How many bytes to push next at most, of a stream that may ask for them again: few after a rewind, and then ever more. */
  pace = pieceLength;
  readonly #exports: Exports;
  readonly #text = new TextDecoder();
  #lastWords = ""; // of Go's runtime, when it crashes

  /** Throws a WebmendError of code `load` if this is not the module that came with the package. */
  constructor(module: WebAssembly.Module) {
    let memory: WebAssembly.Memory | undefined;
    const say = (text: Uint8Array) => {
      if (this.#lastWords.length < 1000) this.#lastWords += this.#text.decode(text);
    };
    try {
      const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi(() => memory!, say) });
      this.#exports = exports as unknown as Exports;
      memory = this.#exports.memory;
      this.#exports._initialize?.();
      const found = this.#exports.version?.();
      if (found !== version) throw new Error(`it is ${found ? `version ${found}` : "another program"}, not version ${version}`);
    } catch (cause) {
      throw notLoaded(cause);
    }
  }

  open(kind: number, { strict, rewinds, seeks, headerSize, tracks, clusterSize }: SplitOptions = {}): number {
    const flags = (strict ? 1 : 0) | (rewinds ? 2 : 0) | (seeks ? 4 : 0);
    return this.call((e) => e.open(kind, flags, headerSize, tracks, 0, clusterSize));
  }

  /** Bytes of the module's memory. */
  get memory(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  close(handle: number): void {
    if (!this.dead) this.call((e) => e.close(handle));
  }

  /** A view of the module's memory to write up to 64 KiB to. */
  reserve(): Uint8Array {
    const address = this.call((e) => e.reserve(pieceLength));
    return new Uint8Array(this.#exports.memory.buffer, address, pieceLength);
  }

  /**
   * Pushes up to 64 KiB, which begin a chunk or go on with the one before. Returns a number
   * above 0 if anything is new, below 0 if the stream is at an end.
   */
  push(handle: number, piece: Uint8Array, goesOn?: boolean): number {
    this.reserve().set(piece);
    this.pace = Math.min(this.pace + piece.length, pieceLength);
    return this.call((e) => e[goesOn ? "continueChunk" : "pushChunk"](handle, piece.length));
  }

  /** Says that bytes are missing here. Returns what `push` does. */
  lost(handle: number): number {
    return this.call((e) => e.lost(handle));
  }

  /** Has a stream go on at an offset, with an element of a Segment or another recording. What is before that is known. */
  skip(handle: number, offset: number): void {
    this.call((e) => e.skip(handle, offset));
  }

  /**
   * Returns the offset from which a stream must be pushed: the next, or another that the module
   * wants. To be asked after `push`, `lost` and the answer `finish`.
   */
  rewind(handle: number, next: number): number {
    const back = this.call((e) => e.rewind(handle));
    if (back < 0) return next;
    this.pace = firstLength;
    return back;
  }

  /** The offset from which bytes of a stream may still be wanted. */
  needed(handle: number): number {
    return this.call((e) => e.needed(handle));
  }

  /**
   * Pushes bytes of any length, in pieces, and throws when the stream is damaged:
   * after all of them, so that the rest is counted as dropped.
   */
  pushAll(handle: number, bytes: Uint8Array): void {
    let status = 0;
    for (let i = 0; i < bytes.length; i += pieceLength) {
      status = this.push(handle, bytes.subarray(i, i + pieceLength));
    }
    if (status < 0) throw new WebmendError(this.ask(handle, "lastError") as Problem);
  }

  ask(handle: number, what: Answer): unknown {
    return JSON.parse(this.#text.decode(this.answer(handle, what)));
  }

  /**
   * The clusters that are complete since the last call or, for `takeFragments`, what there is of
   * the open one too.
   */
  takeClusters(handle: number, what: "takeClusters" | "takeFragments" = "takeClusters"): ToldCluster[] {
    return this.#all(handle, what, (told) => told.cluster());
  }

  /** The final forms of clusters that are complete since the last call. */
  takeForms(handle: number): ToldForm[] {
    return this.#all(handle, "takeForms", (told) => told.form());
  }

  /** Asks until nothing is left, as an answer can have a part of it. */
  #all<T>(handle: number, what: AnswerInNumbers, one: (told: Numbers) => T): T[] {
    const all: T[] = [];
    for (let told; (told = numbers(this.answer(handle, what))).more(); ) {
      while (told.more()) all.push(one(told));
    }
    return all;
  }

  /** The module's own bytes of an answer, until the next call. */
  answer(handle: number, what: Answer | AnswerInNumbers): Uint8Array {
    const length = this.call((e) => e[what](handle));
    if (length < 0) this.#fail(`status ${length} from ${what}`);
    return new Uint8Array(this.#exports.memory.buffer, this.#exports.result(), length);
  }

  /**
   * Edits in place the bytes of piece i of a plan, or of a cluster's data of recording i
   * of a stream. Returns the offset and the old value of each byte that it changed.
   */
  edit(handle: number, i: number, bytes: Uint8Array): number[] {
    const editor = this.call((e) => e.edit(handle, i));
    if (editor < 0) this.#fail(`status ${editor} from edit`);
    try {
      const changed: number[] = [];
      for (let begin = 0; begin < bytes.length; begin += pieceLength) {
        this.pushAll(editor, bytes.subarray(begin, begin + pieceLength));
        const { more, next } = numbers(this.answer(editor, "takePatches"));
        while (more()) {
          const at = next();
          changed.push(at, bytes[at]!);
          bytes[at] = next();
        }
      }
      return changed;
    } finally {
      this.close(editor);
    }
  }

  /** Calls the module. Throws a WebmendError of code `trap` if that traps, or has before. */
  call(f: (exports: Exports) => number): number {
    if (this.dead) this.#fail("it had trapped before");
    try {
      const status = f(this.#exports);
      // -3 is a panic that the module caught: its collector may be broken.
      if (status !== -3) return status;
    } catch (cause) {
      this.#fail(String(cause), cause);
    }
    return this.#fail("it panicked");
  }

  #fail(why: string, cause?: unknown): never {
    this.dead = true;
    const words = this.#lastWords.replace(/\s+/g, " ").trim();
    throw new WebmendError({ code: "trap", message: `webmend: a bug in the module: ${why}${words && `: ${words}`}` }, { cause });
  }
}
