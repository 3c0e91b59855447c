// Chunks that were given in the wrong order. Most of Chromium's boundaries are one byte
// into a block, so that the chunks fit in any order and nothing tells. Only damage is
// proof: where neighbours have it, and have none in the other order.

import type { Input } from "./cli-files.js";
import { split, type Contents } from "./cli-split.js";
import type { ModuleReport } from "./module.js";
import type { ClusterFacts, Range } from "./types.js";

/** How many exchanges are tried at most: for each, all of the input is split again. */
const maxTries = 8;

/** What an input holds, once its chunks are in order. */
export interface OrderedContents extends Contents {
  /** The paths of neighbours that were in the wrong order, as they were given. */
  exchanged: [string, string][];
}

/** Splits an input, and exchanges its chunks where it is proven that they are in the wrong order. */
export async function splitInOrder(input: Input): Promise<OrderedContents> {
  let contents = await split(input);
  const exchanged: [string, string][] = [];
  let tried = new Set<number>();
  for (let tries = 0; tries < maxTries; tries++) {
    const i = suspects(input, contents.report).find((i) => !tried.has(i));
    if (i === undefined) break;
    const paths = input.exchange(i);
    const other = await split(input);
    const mended = mends(input, i, contents, other);
    const { instance, handle } = (mended ? contents : other).splitter;
    instance.close(handle);
    if (mended) {
      exchanged.push(paths);
      contents = other;
      tried = new Set([i]);
    } else {
      input.exchange(i);
      tried.add(i);
    }
  }
  return { ...contents, exchanged };
}

/** The files to exchange with the next, by where damage begins: in the file before the two, or in one of them. */
function suspects(input: Input, { dropped }: ModuleReport): number[] {
  const all: number[] = [];
  for (const { start, end } of dropped) {
    if (start === end || start === input.joinedAt) continue;
    const file = input.files.findLastIndex((f) => f.start <= start);
    if (end >= (input.files[file + 1]?.start ?? Infinity)) all.push(file + 1);
    all.push(file, file - 1);
  }
  const first = input.files.findIndex((f) => f.start >= input.joinedAt); // a header stays where it is
  return all.filter((i) => i >= first && i + 1 < input.files.length);
}

/** Whether exchanging file i with the next has mended both and where they meet others, and done no other harm. */
function mends(input: Input, i: number, before: Contents, after: Contents): boolean {
  const from = input.files[i]!.start;
  const to = input.files[i + 1]!.start + input.files[i + 1]!.size;
  const fits = ({ start, end }: Range) =>
    (end < from || start > to) && before.report.dropped.some((d) => d.start <= start && end <= d.end);
  return (
    after.report.dropped.every(fits) &&
    droppedBytes(after.report) < droppedBytes(before.report) &&
    stepsBack(after.clusters) <= stepsBack(before.clusters)
  );
}

function droppedBytes({ dropped }: ModuleReport): number {
  return dropped.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** How often the time of clusters goes back. */
function stepsBack(clusters: ClusterFacts[]): number {
  return clusters.filter((c, i) => i > 0 && c.recording === clusters[i - 1]!.recording && c.time < clusters[i - 1]!.time).length;
}
