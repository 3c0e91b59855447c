// The calls between recordings or files and the module, wherever that runs: in the page, by
// engine.ts and stream.ts, or in a worker, by remote.ts.

import type { Bytes } from "../base/bytes.js";
import type { Problem, Range } from "../base/types.js";
import type { ModuleReport, ToldCluster, ToldHeader } from "./answers.js";
import type { StepArgs, Stepped, Steps } from "./plans.js";
import type { SplitOptions } from "./module.js";

/** What opens streams. */
export interface EngineCalls {
  open(options: StreamOptions): Promise<StreamCalls>;
  /** One with an instance of the module of its own, whose memory goes with it. */
  another(): Promise<EngineCalls>;
  close(): void;
}

/** How a stream is read, and what of its bytes is wanted. */
export interface StreamOptions extends SplitOptions {
  /** `store`: all of them, for a store; `clusters`: those of headers and clusters; `nothing`: none. */
  wanted: "store" | "clusters" | "nothing";
  /** Where the chunks begin, in order, if not with each `push`. */
  starts?: number[];
}

/** What a store holds, in the order of the stream: a header, or a cluster in its final form. */
export interface Stored {
  recording: number;
  /** Where its data begins in the stream. */
  start: number;
  /** What the stream has between the data of the one before it and its own: a cluster's head, and what is neither. */
  before: (Blob | Bytes)[];
  /** A header, or what a cluster begins with in its final form. */
  head: Bytes;
  data: Bytes[];
  /** Offsets in the data and what was recorded there, in turns, where the final form is another. */
  changed: number[];
  header?: ToldHeader;
}

/**
 * What of a stream is in a store, to be scanned again: its bytes and, where the
 * stream had others, which.
 */
export interface Past {
  parts: (Blob | Bytes)[];
  splices: Splice[];
}

/** At offset `at` of a store, the stream has `insert` and not the next `skip` bytes. */
export interface Splice {
  at: number;
  skip: number;
  insert: (Blob | Bytes)[];
}

/** Some bytes of a stream, and where they are. */
export interface Placed<Data = Bytes> extends Range {
  data: Data;
}

/** Bytes from `offset` up to `end` that are left out, and why: zeros are in their place. */
export interface Hole extends Problem {
  end: number;
  /** Whether it is in the place of the stream's end. */
  isEnd?: boolean;
}

/** How far a stream has come. */
export interface Place {
  /** Where the last header or whole cluster ends that has been told. */
  handed: number;
  /** Likewise the last cluster or fragment. */
  given: number;
  /** Where it can begin if nobody has all of it: at the beginning, or the data of a cluster. */
  bounds: number[];
  /** Where bytes are missing, in order. */
  losses: number[];
  holes: Hole[];
  headers: Placed[];
  report: ModuleReport | null;
}

/** All that another stream needs to go on from where this one is. */
export interface Saved extends Place {
  /** Bytes that were pushed: those at least that have not been told or, if nobody has all of it, those from the first bound on. */
  parts: Placed<Blob | Bytes>[];
  /** How many were pushed. */
  size: number;
  /** Where the last chunk, or the last piece of it, begins, if there was one. */
  seam: number | undefined;
  ended: boolean;
}

/** A cluster or a fragment that is complete. */
export interface Taken {
  facts: ToldCluster;
  /** As recorded; of a fragment, so that it is a cluster. */
  head: Bytes;
  /** In the final form; null if the store has it. */
  data: Bytes[] | null;
  /** As in what is stored. */
  changed: number[];
}

/** What is new of a stream. */
export interface Told {
  stored: Stored[];
  clusters: Taken[];
  /** Null if there is nothing new. */
  report: ModuleReport | null;
  /** Bytes of the module's memory. */
  memory: number;
}

/** A stream as recordings and files have it, wherever it is. */
export interface StreamCalls {
  /** What the module calls it, for `join`. */
  readonly handle: number;
  /**
   * Scans the next chunk or, if it begins at an offset in that, the next piece of it. A damaged
   * stream is no error here: its report has that. A chunk or a piece that cannot be read is left
   * out, and the promise rejected. Resolves with the offset that must be pushed next, which with
   * `seeks` can be any.
   */
  push(piece: Blob | Bytes, at?: number): Promise<number>;
  /** Says that bytes are missing here. */
  lost(): Promise<void>;
  /** Resolves with -1 or, with `seeks`, with the offset that must be pushed next, before it is called again. */
  finish(): Promise<number>;
  /**
   * After a trap: goes on in another instance of the module, which scans again what
   * there was. What a store has is its past. The step that trapped is then taken. Bytes with
   * which it traps again are left out, if they are not in the past: it resolves with these.
   * With `saved` it goes on instead of another, from where that was.
   */
  recover(past: Past[], saved?: Saved): Promise<Hole | null>;
  /** What is new since the last call; with fragments, what there is of the open cluster too. */
  take(fragments?: boolean): Told;
  /** Takes a step to a file, where the stream is. */
  step<Name extends keyof Steps>(steps: Steps, name: Name, ...args: StepArgs<Name>): Promise<Stepped<Name>>;
  /** Bytes of the stream that no store has yet. */
  read(start: number, end: number): Promise<Bytes>;
  close(): void;
}
