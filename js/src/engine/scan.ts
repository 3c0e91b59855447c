// Streams that are scanned without keeping their bytes, for the command line and the
// inspector.

import type { Element, Problem } from "../base/types.js";
import type { ModuleReport, ToldCluster, ToldHeader } from "./answers.js";
import type { Instance } from "./module.js";

/** A stream that is split into ranges. */
export class Splitter {
  readonly instance: Instance;
  readonly handle: number;
  /** The offset of the stream that must be pushed next, which each call can set back and, if it seeks, forward. */
  at = 0;

  /** @param seeks whether all of the stream is there, as that of a file is */
  constructor(instance: Instance, seeks = false) {
    this.instance = instance;
    this.handle = instance.open(0, { rewinds: true, seeks });
  }

  /** How many bytes `push` takes at most. */
  get pace(): number {
    return this.instance.pace;
  }

  /**
   * Takes the bytes at `at`, which begin a chunk or go on with the one before. Returns what the
   * module does: a number below 0 when there can be nothing more, which the report explains.
   */
  push(piece: Uint8Array, goesOn: boolean): number {
    const status = this.instance.push(this.handle, piece, goesOn);
    this.at += piece.length;
    this.#rewind();
    return status;
  }

  /** Says that bytes are missing here. */
  lost(): void {
    this.instance.lost(this.handle);
    this.#rewind();
  }

  takeHeader(): ToldHeader | null {
    return this.instance.ask(this.handle, "takeHeader") as ToldHeader | null;
  }

  takeClusters(): ToldCluster[] {
    return this.instance.takeClusters(this.handle);
  }

  report(): ModuleReport {
    return this.instance.ask(this.handle, "report") as ModuleReport;
  }

  /** Ends the stream, unless that sets `at` to another offset: then it goes on from there. */
  finish(): ModuleReport {
    const report = this.instance.ask(this.handle, "finish") as ModuleReport;
    this.#rewind();
    return report;
  }

  #rewind(): void {
    this.at = this.instance.rewind(this.handle, this.at);
  }
}

/** A stream whose every element is listed. */
export class Walker {
  readonly #instance: Instance;
  readonly #handle: number;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.#handle = instance.open(1);
  }

  push(bytes: Uint8Array): void {
    this.#instance.pushAll(this.#handle, bytes);
  }

  /** Goes on at an offset, with an element of a Segment or another recording, whatever was wrong before. */
  skip(offset: number): void {
    this.#instance.skip(this.#handle, offset);
  }

  takeElements(): Element[] {
    return this.#instance.ask(this.#handle, "takeElements") as Element[];
  }

  /** Ends the stream, and returns what is wrong with its end. */
  finish(): Problem | null {
    this.#instance.ask(this.#handle, "finish");
    return this.#instance.ask(this.#handle, "lastError") as Problem | null;
  }

  close(): void {
    this.#instance.close(this.#handle);
  }
}
