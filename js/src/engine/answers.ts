// The types of the module's answers, and reading those that are in numbers.

import type { Bytes } from "../base/bytes.js";
import type { ClusterFacts, HeaderFacts, Range, Report } from "../base/types.js";

/** How to write a cluster with a known size: `head`, then a range of the stream, edited or not. */
export interface Form extends Range {
  head: Bytes;
  edit: boolean;
}

/** A header as the module tells it. */
export interface ToldHeader extends Range, HeaderFacts {
  recordingIndex: number;
}

/** What the module knows of a stream, which has no chunks for it. */
export type ModuleReport = Omit<Report, "missing">;

/** A cluster as the module tells it. */
export interface ToldCluster extends ClusterFacts {
  form: Form;
  fromZero: Form;
}

/** The final form of a cluster of a recording. */
export interface ToldForm {
  recording: number;
  form: Form;
}

/** A plan, or what must be read before it can be made. */
export type Plan = { reads: Read[] } | MadePlan;

/** A range of one of a plan's sources. */
export interface Read extends Range {
  source: number;
}

/** A plan: its pieces are [length] of its literals, or [source, start, end, whether it is edited]. */
export interface MadePlan {
  mimeType: string;
  size: number;
  start: number;
  end: number;
  /** Of a live plan: the offset of the stream where the next begins. */
  next: number;
  pieces: ([number] | [number, number, number, boolean])[];
}

export type Numbers = ReturnType<typeof numbers>;

/** Reads an answer in numbers, in the order that wasm/main.go says; quicker than JSON. */
export function numbers(answer: Uint8Array) {
  const values = new Float64Array(answer.slice().buffer);
  let at = 0;
  const next = () => values[at++]!;
  const yes = () => next() > 0;
  /** Bytes, for which there is always as much room. */
  const bytes = (length: number): Bytes => {
    at += 3;
    return new Uint8Array(values.buffer, 8 * (at - 3), length);
  };
  const form = (): Form => ({ start: next(), end: next(), edit: yes(), head: bytes(next()) });
  const track = () => ({ number: next(), blocks: next(), keyframes: next() });
  return {
    more: () => at < values.length,
    next,
    form: (): ToldForm => ({ recording: next(), form: form() }),
    cluster: (): ToldCluster => ({
      recordingIndex: next(),
      start: next(),
      end: next(),
      timestamp: next(),
      time: next(),
      duration: next(),
      sizeKnown: yes(),
      cut: yes(),
      fragment: yes(),
      beginsWithKeyFrame: yes(),
      blocks: next(),
      keyframes: next(),
      tracks: Array.from({ length: next() }, track),
      form: form(),
      fromZero: form(),
    }),
  };
}
