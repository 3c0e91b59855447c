// Resumes a stream in another instance of the module, after a trap: from what a store has of
// it or, where nobody has all of it, from the headers and the last clusters, with what was
// known before.

import { joined, read, type Bytes } from "../base/bytes.js";
import type { Range, Undecodable } from "../base/types.js";
import type { ModuleReport } from "./answers.js";
import type { Past } from "./calls.js";

/** The bytes that the stream had, a Blob of the store at a time. */
export async function* recorded({ parts, splices }: Past): AsyncGenerator<Bytes> {
  const bytesOf = (part: Blob | Bytes) => (ArrayBuffer.isView(part) ? part : read(part, "what was recorded"));
  let at = 0;
  let next = 0;
  for (const part of parts) {
    const bytes = await bytesOf(part);
    const pieces: Bytes[] = [];
    let from = 0;
    for (; next < splices.length && splices[next]!.at < at + bytes.length; next++) {
      const splice = splices[next]!;
      pieces.push(bytes.subarray(from, splice.at - at));
      for (const insert of splice.insert) pieces.push(await bytesOf(insert));
      from = splice.at - at + splice.skip; // a head and its data are in one part
    }
    yield joined([...pieces, bytes.subarray(from)]);
    at += bytes.length;
  }
}

/** Some bytes of a stream, and where they are. */
export interface Placed extends Range {
  bytes: Bytes;
}

/** What a cluster of unknown size begins with. */
const clusterHead = Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** All that must be known of a stream before the data of a cluster, which begins at `data`. */
export function prologue(headers: Placed[], data: number): Placed[] {
  return [...headers.filter((h) => h.end <= data), { start: data - clusterHead.length, end: data, bytes: clusterHead }];
}

/** What was known of a stream when the module trapped. */
export class Known {
  readonly #before: ModuleReport | null;
  readonly #size: number;
  readonly #inMiddle: boolean;
  /** What of it is known again, if it is not scanned from its beginning on. */
  again: ModuleReport | null = null;

  /** @param size how many bytes had been scanned */
  constructor(before: ModuleReport | null, size: number, inMiddle: boolean) {
    this.#before = before;
    this.#size = size;
    this.#inMiddle = inMiddle;
  }

  /** All that is known, with what another instance tells. */
  with(now: ModuleReport): ModuleReport {
    const before = this.#before;
    const report = before && this.#inMiddle ? merge(before, now, this.again) : now;
    // It is not said again where chunks begin. Of a gap that was not known one may be missing.
    for (const gap of report.gaps) {
      if (gap.offset < this.#size) gap.boundary = before?.gaps.find((known) => known.offset === gap.offset)?.boundary ?? true;
    }
    return report;
  }
}

/** Two reports of a stream, the second of which began in its middle; `again` is in both. */
function merge(before: ModuleReport, now: ModuleReport, again: ModuleReport | null): ModuleReport {
  return {
    ...now,
    recordings: now.recordings.map((recording, i) => {
      const known = before.recordings[i];
      const twice = again?.recordings[i];
      if (!known) return recording;
      return {
        // Key frames tell more of codecs than the header.
        ...(known.mimeType.length > recording.mimeType.length ? known : recording),
        duration: Math.max(known.duration, recording.duration),
        clusters: known.clusters + recording.clusters - (twice?.clusters ?? 0),
        repeated: known.repeated + recording.repeated - (twice?.repeated ?? 0),
      };
    }),
    other: union(before.other, now.other, byStart),
    dropped: union(before.dropped, now.dropped, byStart),
    gaps: union(before.gaps, now.gaps, byOffset),
    undecodable: runs(before.undecodable, now.undecodable, again?.undecodable ?? []),
  };
}

/** Runs of frames, in the order of the stream. One that the second report begins in its middle goes on with one of the first. */
function runs(before: Undecodable[], now: Undecodable[], again: Undecodable[]): Undecodable[] {
  const all = [...before];
  for (const run of now) {
    const isSame = (u: Undecodable) => u.reason === run.reason && u.recording === run.recording && u.track === run.track && u.offset <= run.offset;
    const i = all.findLastIndex(isSame);
    const known = all[i];
    const twice = again.find(({ offset }) => offset === run.offset);
    if (known?.offset === run.offset) all[i] = run;
    else if (known && twice) all[i] = { ...known, frames: known.frames + run.frames - twice.frames, end: run.end };
    else all.push(run);
  }
  return all.sort((a, b) => a.offset - b.offset);
}

const byStart = (range: Range) => range.start;
const byOffset = (block: { offset: number }) => block.offset;

/** What is in either list, by its place; of what is in both, the first has the last word. */
function union<T>(first: T[], second: T[], place: (entry: T) => number): T[] {
  const all = new Map([...second, ...first].map((entry) => [place(entry), entry]));
  return [...all.values()].sort((a, b) => place(a) - place(b));
}
