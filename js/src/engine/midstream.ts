// Resumes a stream in another instance of the module, after a trap or in another worker: from
// what a store has of it or, where nobody has all of it, from the headers and the last
// clusters, with what was known before. Bytes that cannot be scanned are left out.

import { joined, read, type Bytes } from "../base/bytes.js";
import { trapped, WebmendError } from "../base/error.js";
import { readable } from "../base/gather.js";
import type { Dropped, Problem, Range, Undecodable } from "../base/types.js";
import type { ModuleReport } from "./answers.js";
import type { Hole, Past, Place, Placed, Saved } from "./calls.js";

/** How much of a Blob is read at once. */
const readLength = 4 << 20;

/** More than the head of a cluster has, which ends the one before it. */
const headLength = 16;

/** A stream as it can be resumed. */
export interface Resumable {
  begin(place: Place, known: Known, ended: boolean): { dead: boolean };
  skip(at: number): void;
  rescan(bytes: Bytes): void;
  miss(): void;
  omit(hole: Hole): void;
  done(ends: boolean): void;
}

/**
 * Resumes a stream from what another had. What traps again is left out: the last chunk, then
 * all that has not been told, and of a stream that has ended first its end, which the module
 * is not told. Resolves with what was left out, or null.
 */
export async function resume(stream: Resumable, saved: Saved, past: Past[], wanted: string): Promise<Hole | null> {
  const inStore = wanted === "store";
  const { size, seam, ended } = saved;
  const told = Math.max(saved.handed, saved.given);
  let hole: Hole | null = null;
  let trap = givenUp.get(stream);
  if (trap && saved.parts.length > 0) throw trap; // these would not fit on what came before
  trap = undefined;
  begin(stream, saved, inStore); // or it stays as it is, without memory for another instance
  try {
    for (const end of ended ? [size, size, told] : [size, Math.max(seam ?? 0, told), told]) {
      if (trap) {
        hole = leftOut(trap as WebmendError, end, size, ended);
        begin(stream, saved, inStore);
      }
      try {
        return await rescan(stream, saved, past, inStore, hole);
      } catch (error) {
        if (!trapped(error)) throw error;
        trap = error;
      }
    }
    throw trap;
  } catch (error) {
    giveUp(stream, saved, inStore);
    givenUp.set(stream, error);
    throw error;
  }
}

/** The bytes of a chunk that could not be read as the platform's Blobs can, or why there is no other way. */
export function otherwise(chunk: Blob, error: WebmendError): Promise<Bytes | WebmendError> | WebmendError {
  const other = readable(chunk);
  return other === chunk ? error : read(other, `the chunk at ${error.offset}`, error.offset).catch((error) => error);
}

/** Streams of which there is no more than the store has, and why. */
const givenUp = new WeakMap<Resumable, unknown>();

/** Forgets all but what is in the store, from which it can be resumed. */
function giveUp(stream: Resumable, saved: Saved, inStore: boolean): void {
  const instance = begin(stream, { ...saved, bounds: [saved.handed] }, inStore, true); // where the store does
  stream.skip(saved.handed);
  instance.dead = true;
}

/** Begins with what was known. */
function begin(stream: Resumable, { handed, given, bounds, losses, holes, headers, report, size }: Saved, inStore: boolean, ended = false): { dead: boolean } {
  const inMiddle = !inStore && bounds[0]! > 0;
  const place = { handed, given, bounds: [...bounds], losses: losses.filter((offset) => !inMiddle || offset > bounds[0]!), holes: [...holes], headers: [...headers], report };
  return stream.begin(place, new Known(report, size, inMiddle), ended);
}

function leftOut({ code, message }: WebmendError, start: number, end: number, isEnd: boolean): Hole {
  const what = start === end ? "the stream ends as far as it is known" : `the bytes from ${start} to ${end} are left out`;
  return { code, message: `${message}; ${what}`, offset: start, path: "", end, isEnd };
}

/** Has bytes scanned again, but those that are left out. Resolves with these, or what else could not be read. */
async function rescan(stream: Resumable, saved: Saved, past: Past[], inStore: boolean, hole: Hole | null): Promise<Hole | null> {
  const { handed, given, bounds, losses, holes, size, ended } = saved;
  const base = inStore ? handed : bounds[0]!;
  for (const { start, data } of !inStore && base > 0 ? prologue(saved.headers, base) : []) {
    stream.skip(start);
    stream.rescan(data);
  }
  if (losses.includes(0) && (inStore || base === 0)) stream.miss();
  for (const store of past) for await (const bytes of recorded(store)) stream.rescan(bytes);
  // What has been told is scanned by itself, and what shows its end.
  const cuts = [handed, Math.max(handed, given), handed + headLength, ...holes.flatMap((h) => [h.offset, h.end])];
  let unread: Hole | null = null;
  let at = base;
  const ready: Bytes[] = [];
  const scan = () => ready.length > 0 && stream.rescan(joined(ready.splice(0)));
  for (const { start, end, data } of saved.parts.sort((a, b) => a.start - b.start)) {
    for (let to; at < (to = Math.min(end, hole?.offset ?? size)); at = to) {
      to = Math.min(to, at + readLength, ...cuts.filter((cut) => cut > at));
      if (holes.some((h) => h.offset <= at && at < h.end)) ready.push(new Uint8Array(to - at)); // as it was
      else if (ArrayBuffer.isView(data)) ready.push(data.subarray(at - start, to - start));
      else {
        try {
          ready.push(await read(data.slice(at - start, to - start), `the chunk at ${start}`, at));
        } catch (error) {
          scan();
          const { code, message, path } = error as WebmendError;
          stream.omit((unread = { code, message, path, offset: at, end: to }));
        }
      }
      if (cuts.includes(to) || to - at === readLength) scan();
    }
  }
  scan();
  if (hole) stream.omit(hole);
  stream.done(ended && !hole);
  return hole ?? unread;
}

/** The bytes that the stream had, a Blob of the store at a time. */
async function* recorded({ parts, splices }: Past): AsyncGenerator<Bytes> {
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

/** What a cluster of unknown size begins with. */
const clusterHead = Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** All that must be known of a stream before the data of a cluster, which begins at `data`. */
function prologue(headers: Placed[], data: number): Placed[] {
  return [...headers.filter((h) => h.end <= data), { start: data - clusterHead.length, end: data, data: clusterHead }];
}

/** A header or a cluster that the instance has told. */
interface Piece {
  recording: number;
  range: Range;
  form?: unknown;
}

/** What was known of a stream when it broke off, and what is to be said of what is left out. */
export class Known {
  readonly #before: ModuleReport | null;
  readonly #size: number;
  readonly #inMiddle: boolean;
  #again: ModuleReport | null = null; // what of it is known again, if it is not scanned from its beginning on
  /** @param size how many bytes had been scanned */
  constructor(before: ModuleReport | null = null, size = 0, inMiddle = false) {
    this.#before = before;
    this.#size = size;
    this.#inMiddle = inMiddle;
  }

  /**
   * All that is known, with what the instance tells, and why bytes are left out. As long as it
   * scans again that is what was known: once it has told the piece before which all was told,
   * what it tells besides is new.
   */
  with(now: ModuleReport, { holes, report: known, handed, given }: Place, isAgain: boolean, pieces: Piece[], before: number): ModuleReport | null {
    if (isAgain) {
      if (!pieces.some(({ range }) => range.end === before)) return known;
      for (const { recording, form, range } of pieces) if (form && range.end > before) now.recordings[recording]!.clusters--;
      this.#again = now;
      return known;
    }
    const earlier = this.#before;
    const report = earlier && this.#inMiddle ? merge(earlier, now, this.#again) : now;
    report.dropped = explained(report, holes, Math.max(handed, given));
    const why = report.error?.code === "lost" && holes.find((hole) => hole.offset === report.error!.offset);
    if (why) report.error = problem(why);
    // It is not said again where chunks begin. Of a gap that was not known one may be missing.
    for (const gap of report.gaps) {
      if (gap.offset < this.#size) gap.boundary = earlier?.gaps.find((known) => known.offset === gap.offset)?.boundary ?? true;
    }
    return report;
  }
}

/** What is dropped of a stream, with why bytes of it were left out; and its end, if the module cannot say it. */
function explained({ dropped, recordings, other }: ModuleReport, holes: Hole[], end: number): Dropped[] {
  const all = dropped.map((drop) => {
    const [first, ...more] = holes.filter((hole) => drop.start <= hole.offset && hole.end <= drop.end);
    return first ? { ...drop, reason: problem(first, ...more) } : drop;
  });
  const last = holes.findLast((hole) => hole.isEnd);
  if (last) {
    const start = Math.max(end, ...[...dropped, ...other].map((range) => range.end));
    if (start <= last.end) all.push({ start, end: last.end, reason: problem(last), before: recordings.at(-1)?.duration ?? 0, after: null });
  }
  return all;
}

function problem({ code, offset, path, message }: Hole, ...more: Hole[]): Problem {
  return { code, offset, path, message: [message, ...more.map((hole) => hole.message)].join("; ") };
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
    const isSame = (u: Undecodable) => u.reason === run.reason && u.recordingIndex === run.recordingIndex && u.track === run.track && u.offset <= run.offset;
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
