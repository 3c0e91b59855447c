// How a stream goes on in another instance of the module, after a trap: from what a store
// has of it or, where nobody has it whole, from the headers and the last clusters, with
// what was known before.

import { joined, mended, move, read, type Bytes } from "./bytes.js";
import type { ModuleReport } from "./module.js";
import type { Past } from "./store.js";
import type { Gap, Problem, Range } from "./types.js";

/** The bytes that the stream had, a Blob of the store at a time. */
export async function* recorded({ parts, splices }: Past): AsyncGenerator<Bytes> {
  const bytesOf = (part: Blob | Bytes) => (part instanceof Blob ? read(part, "what was recorded") : part);
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

/**
 * Keeps what was known of gaps: streams are scanned again up to an offset without saying
 * where their chunks begin. Of one that was not known a chunk may be missing.
 */
export function keepBoundaries(gaps: Gap[], known: Gap[], rescanned: number): void {
  for (const gap of gaps) {
    if (gap.offset < rescanned) gap.boundary = known.find((k) => k.offset === gap.offset)?.boundary ?? true;
  }
}

/** What a cluster of unknown size begins with. */
const clusterHead = Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** What stands for all of a stream up to the data of a cluster. */
export function prologue(headers: Bytes[]): Bytes {
  return joined([...headers.map((header) => unbounded(mended(header))), clusterHead]);
}

/** A header whose Segment does not say how long it is: much of it is not there. */
function unbounded(header: Bytes): Bytes {
  const bytes = header.slice();
  const length = (at: number) => Math.clz32(bytes[at]!) - 23; // of an ID or size
  for (let id = 0; id < bytes.length; ) {
    const size = id + length(id);
    const data = size + length(size);
    const isSegment = bytes[id] === 0x18; // which no other element beside it begins with
    if (isSegment) return bytes.fill(0xff, size, data).fill(0xff >> (data - size - 1), size, size + 1);
    let n = bytes[size]! & (0xff >> (data - size));
    for (let i = size + 1; i < data; i++) n = 256 * n + bytes[i]!;
    id = data + n;
  }
  return bytes;
}

/** Moves the offsets of a report. */
export function moveReport(report: ModuleReport, by: number): void {
  for (const { header } of report.recordings) move(header, by);
  for (const range of report.other) move(range, by);
  for (const drop of report.dropped) {
    move(drop, by);
    moveProblem(drop.reason, by);
  }
  for (const gap of report.gaps) gap.offset += by;
  for (const loss of report.undecodable) loss.offset += by;
  if (report.error) moveProblem(report.error, by);
}

/** Moves the offsets of a problem. */
export function moveProblem(problem: Problem, by: number): Problem {
  problem.offset += by;
  problem.message = problem.message.replace(/ at (\d+)/g, (_, offset) => ` at ${Number(offset) + by}`);
  return problem;
}

/**
 * What was known before a stream began again in its middle, and what is known since;
 * `overlap` is in both.
 */
export function merge(before: ModuleReport, now: ModuleReport, overlap: ModuleReport | null): ModuleReport {
  return {
    ...now,
    recordings: now.recordings.map((recording, i) => {
      const known = before.recordings[i];
      const twice = overlap?.recordings[i];
      if (!known) return recording;
      return {
        // Key frames tell more of codecs than the header.
        ...(known.mimeType.length > recording.mimeType.length ? known : recording),
        header: known.header,
        duration: Math.max(known.duration, recording.duration),
        clusters: known.clusters + recording.clusters - (twice?.clusters ?? 0),
        repeated: known.repeated + recording.repeated - (twice?.repeated ?? 0),
      };
    }),
    other: union(before.other, now.other, byStart),
    dropped: union(before.dropped, now.dropped, byStart),
    gaps: union(before.gaps, now.gaps, byOffset),
    undecodable: union(now.undecodable, before.undecodable, byOffset), // which grow
  };
}

const byStart = (range: Range) => range.start;
const byOffset = (block: { offset: number }) => block.offset;

/** What is in either list, by its place; of what is in both, the first has the last word. */
function union<T>(first: T[], second: T[], place: (entry: T) => number): T[] {
  const all = new Map([...second, ...first].map((entry) => [place(entry), entry]));
  return [...all.values()].sort((a, b) => place(a) - place(b));
}
