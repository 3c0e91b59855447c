// Finds chunks that were given in the wrong order. Most of Chromium's chunks end one byte into
// a block, so that they fit together in any order and nothing tells. Only this is proof:
// two neighbours are damaged, in the other order nothing of them is, and time goes
// forward in them.

import type { Dropped, Undecodable } from "../base/types.js";
import type { ModuleReport } from "../engine/answers.js";
import { inspector } from "../media/elements.js";
import type { Input } from "./files.js";
import { split, walk, type Contents } from "./split.js";

/** How many exchanges are tried at most: for each, all of the input is split again. */
const maxTries = 9;

/** An empty EBML header and a Segment of unknown size, for a walk that begins with a Cluster. */
const prologue = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, 0xff);

/** What an input holds, once its chunks are in order. */
export interface OrderedContents extends Contents {
  /** The paths of neighbours that were in the wrong order, as they were given. */
  exchanged: [string, string][];
}

/** Splits an input, and exchanges its chunks where it is proven that they are in the wrong order. */
export async function splitInOrder(input: Input): Promise<OrderedContents> {
  let contents = await split(input);
  const exchanged: [string, string][] = [];
  let tries = 0;
  for (let from = 0; ; ) {
    const drop = contents.report.dropped.find((d) => d.start >= from && d.start < d.end && d.start !== input.joinedAt);
    if (!drop) break;
    from = drop.start + 1;
    const pairs = suspects(input, drop);
    if ((tries += pairs.length) > maxTries) break;
    const mended: number[] = [];
    for (const i of pairs) {
      input.exchange(i);
      const other = await split(input);
      if (mends(input, i, contents.report, other.report) && (await goesForward(input, i, other))) mended.push(i);
      close(other);
      input.exchange(i);
    }
    if (mended.length !== 1) continue; // with two, nobody knows which
    exchanged.push(input.exchange(mended[0]!));
    close(contents);
    contents = await split(input);
  }
  return { ...contents, exchanged };
}

function close({ splitter: { instance, handle } }: Contents): void {
  instance.close(handle);
}

/** Which files to exchange with the next: damage begins in the file before the two, or in one of them. */
function suspects({ files, joinedAt }: Input, { start, end }: Dropped): number[] {
  const file = files.findLastIndex((f) => f.start <= start);
  const goesOn = end >= (files[file + 1]?.start ?? Infinity);
  const first = files.findIndex((f) => f.start >= joinedAt); // a header stays where it is
  return [...(goesOn ? [file + 1] : []), file, file - 1].filter((i) => i >= first && i + 1 < files.length);
}

/** Where files i and i + 1 are, which have been exchanged, and the file after them, in which damage can show. */
function place({ files, size }: Input, i: number) {
  return { start: files[i]!.start, end: files[i + 2]?.start ?? size, after: files[i + 3]?.start ?? size };
}

/** Whether they have no damage, and nothing else has that had none. */
function mends(input: Input, i: number, before: ModuleReport, after: ModuleReport): boolean {
  const { start, after: end } = place(input, i);
  const isElsewhere = (d: Dropped) => (d.end < start || d.start > end) && before.dropped.some((old) => old.start <= d.start && d.end <= old.end);
  const isOld = (u: Undecodable) => u.reason === "no-key-frame" || before.undecodable.some((old) => old.offset === u.offset);
  return after.dropped.every(isElsewhere) && after.undecodable.every(isOld);
}

/** Whether the time of each track goes forward in them, as recorders write it. */
async function goesForward(input: Input, i: number, { clusters }: Contents): Promise<boolean> {
  const files = place(input, i);
  const begin = clusters.findLast((c) => c.start <= files.start)?.start ?? 0;
  const shift = begin > 0 ? begin - prologue.length : 0;
  const latest = new Map<number, { offset: number; timestamp: number }>(); // by track
  const inspected = inspector();
  let forward = true;
  await walk(pieces(), (elements) => {
    for (const element of elements) {
      const { name, block } = inspected(element);
      if (name === "EBML") latest.clear(); // of another recording
      if (!block) continue;
      const offset = element.offset + shift;
      const before = latest.get(block.track);
      if (before && block.timestamp < before.timestamp && before.offset < files.end && offset >= files.start) forward = false;
      latest.set(block.track, { offset, timestamp: block.timestamp });
    }
  });
  return forward;

  function* pieces(): Generator<Uint8Array> {
    if (begin > 0) yield prologue;
    yield* input.read(begin, files.after);
  }
}
