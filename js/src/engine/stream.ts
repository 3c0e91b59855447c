// One stream in an instance of the module: it reads and scans what is pushed, and returns the
// bytes of what is complete. It keeps those that the module may still want, and those to scan
// again after a trap.

import { joined, read, type Bytes } from "../base/bytes.js";
import { late, type WebmendError } from "../base/error.js";
import type { Range } from "../base/types.js";
import type { Form, ModuleReport, ToldCluster, ToldHeader } from "./answers.js";
import type { Hole, Past, Place, Placed, Saved, Stored, StreamCalls, StreamOptions, Taken, Told } from "./calls.js";
import type { Known } from "./midstream.js";
import { Instance } from "./module.js";
import type { StepArgs, Stepped, Steps } from "./plans.js";

/**
 * How many bytes that are no header or cluster wait to be put aside, as each Blob has its price;
 * and how many are kept of what has been told, to go on from after a trap, where there is no store.
 */
const enough = 1 << 20;

/** How many bytes between clusters a store keeps in the page's memory. */
const smallLength = 4 << 10;

export const midstream = () => late("midstream.js", import("./midstream.js"));

/** A header or a cluster as the module tells it for a store. */
interface Piece {
  recording: number;
  range: Range;
  header?: ToldHeader;
  form?: Form;
}

export class Stream implements StreamCalls {
  readonly #module: WebAssembly.Module;
  readonly #options: StreamOptions;
  #instance: Instance;
  #handle: number;
  #size = 0;
  #ended = false;
  #closed = false;

  #kept: Placed[] = [];
  #starts: number[] = []; // where chunks begin, in order: all if that was given, or the last
  #begun = 0; // how many of them it has come to
  #aside: Placed<Blob>[] = []; // what the module wants no more of what has not been told
  #needed = 0; // by the module

  #news = false; // in the module
  #told = nothing();

  // To scan again after a trap.
  #again = false;
  place: Place = { handed: 0, given: 0, bounds: [0], losses: [], holes: [], headers: [], report: null };
  #known: Known | null = null; // once the script is there
  readonly #fetched: Promise<typeof import("./midstream.js") | void>;

  constructor(module: WebAssembly.Module, instance: Instance, options: StreamOptions) {
    this.#module = module;
    this.#instance = instance;
    this.#options = options;
    this.#handle = this.#open();
    // The script is fetched before it is needed, as it might not come then. Without it, a report
    // has no more of a chunk that cannot be read than that bytes are missing.
    this.#fetched = midstream().then((script) => ((this.#known ??= new script.Known()), script)).catch(() => {}); // recover says it
  }

  get handle(): number {
    return this.#handle;
  }

  async push(piece: Blob | Bytes, at?: number): Promise<number> {
    const start = this.#size;
    const bytes = ArrayBuffer.isView(piece) ? piece : await read(piece, `the chunk at ${start}`, start).catch(async (error: WebmendError) => (await this.#fetched)?.otherwise(piece, error) ?? error);
    if (this.#closed) return start;
    if (!at) this.#starts = this.#options.starts ?? [start];
    const isRead = "buffer" in bytes;
    if (isRead) this.#scan(bytes);
    else this.omit({ ...bytes, message: bytes.message, end: start + (piece as Blob).size });
    this.#settle();
    if (!isRead) throw bytes;
    return this.#size;
  }

  async lost(): Promise<void> {
    this.miss();
    this.#settle();
  }

  async finish(): Promise<number> {
    this.#ended = true;
    this.#settle();
    return this.#ended ? -1 : this.#size;
  }

  async recover(past: Past[], saved: Saved = { ...this.place, parts: [...this.#aside, ...this.#kept], size: this.#size, seam: this.#kept.at(-1)?.start, ended: this.#ended }): Promise<Hole | null> {
    return (await midstream()).resume(this, saved, past, this.#options.wanted);
  }

  /** Begins to scan again, in an instance of the module of its own, so that no other stream harms it. */
  begin(place: Place, known: Known, ended: boolean): Instance {
    const instance = new Instance(this.#module);
    this.#forget();
    this.place = place;
    this.#known = known;
    this.#told = nothing();
    this.#again = true;
    this.#ended = ended;
    this.#instance.close(this.#handle);
    this.#instance = instance;
    this.#handle = this.#open();
    return instance;
  }

  /** The next bytes are at an offset. */
  skip(at: number): void {
    this.#instance.skip(this.#handle, (this.#size = at));
  }

  /** Takes in bytes that were there before: what has been told is not told again. */
  rescan(bytes: Bytes): void {
    this.#scan(bytes);
    // Of a cluster of which fragments have been told, only what comes after them.
    const { handed, given } = this.place;
    if (this.#size === given && given > handed) this.#collect(true);
    else this.#settle();
  }

  /** Says that bytes are missing here. */
  miss(): void {
    this.place.losses.push(this.#size);
    this.#feed(this.#lose(this.#size));
  }

  /** Takes bytes for missing, and as many zeros in their place, so that all others stay where they are. */
  omit(hole: Hole): void {
    this.place.holes.push(hole);
    this.miss();
    while (hole.end > this.#size) this.rescan(new Uint8Array(Math.min(hole.end - this.#size, enough)));
    this.miss();
  }

  /** Goes on from here or, if the stream is to end, ends it. */
  done(ends: boolean): void {
    this.#again = false;
    this.#ended = ends;
    this.#news = true;
    this.#settle();
  }

  take(fragments = false): Told {
    if (this.#again) return nothing(); // should it trap again, nothing counts as told
    if (fragments && !this.#ended && !this.#closed) {
      try {
        this.#collect(true);
      } catch {
        // It has trapped, which the next call notices. Nothing is told that is not whole.
      }
    }
    const told = this.#told;
    this.#told = nothing();
    told.memory = this.#instance.memory;
    return told;
  }

  async step<Name extends keyof Steps>(steps: Steps, name: Name, ...args: StepArgs<Name>): Promise<Stepped<Name>> {
    return (steps[name] as (...all: unknown[]) => Promise<never>)(this.#instance, this.#handle, ...args);
  }

  async read(start: number, end: number): Promise<Bytes> {
    return this.#copy(start, end); // none of it is aside
  }

  close(): void {
    if (!this.#closed) this.#instance.close(this.#handle);
    this.#closed = true;
    this.#forget();
  }

  #open(): number {
    return this.#instance.open(0, { ...this.#options, rewinds: true });
  }

  /** Lets go of all bytes. */
  #forget(): void {
    this.#kept = [];
    this.#aside = [];
    this.#size = 0;
  }

  /** Takes in bytes, and has them scanned. */
  #scan(bytes: Bytes): void {
    const start = this.#size;
    this.#size += bytes.length;
    if (bytes.length > 0) this.#kept.push({ start, end: this.#size, data: bytes });
    this.#feed(start);
  }

  /** Gives the module what is kept from an offset on, and what it wants again: up to where the stream goes on. */
  #feed(at: number): void {
    for (let kept; (kept = this.#kept.findLast((c) => c.start <= at && at < c.end)); ) {
      const { start, end, data } = kept;
      while (this.#starts[this.#begun]! <= at) this.#begun++;
      while (this.#starts[this.#begun - 1]! > at) this.#begun--;
      const loss = Math.min(...this.place.losses.filter((offset) => offset > at));
      const next = Math.min(at + this.#instance.pace, end, loss, this.#starts[this.#begun] ?? Infinity);
      const goesOn = this.#starts[this.#begun - 1] !== at;
      this.#note(this.#instance.push(this.#handle, data.subarray(at - start, next - start), goesOn));
      at = this.#instance.rewind(this.#handle, next);
      if (at === loss) at = this.#lose(at);
    }
    this.#size = at;
  }

  /** Tells the module that bytes are missing, and returns the offset to go on at. */
  #lose(at: number): number {
    this.#note(this.#instance.lost(this.#handle));
    return this.#instance.rewind(this.#handle, at);
  }

  #note(status: number): void {
    this.#news ||= Boolean(status);
  }

  /** Ends the stream if it is to be, gathers what is new, and lets go of what is old. */
  #settle(): void {
    if (this.#ended && !this.#again) this.#end();
    if (this.#news) this.#collect();
    this.#news = false;

    const needed = this.#instance.needed(this.#handle);
    if (needed !== this.#needed) this.#letGo(needed);
    this.#needed = needed;
  }

  /** Lets go of bytes before an offset that nobody wants, and puts aside those for a store or another instance. */
  #letGo(needed: number): void {
    const { wanted } = this.#options;
    const { handed, bounds } = this.place;
    if (wanted !== "nothing" && needed - this.#openAt >= enough) {
      this.#aside.push({ start: this.#openAt, end: needed, data: new Blob([this.#copy(this.#openAt, needed)]) });
    }
    const from = wanted === "nothing" ? needed : Math.min(needed, this.#openAt);
    const base = wanted === "clusters" ? bounds[0]! : Infinity;
    this.#kept = this.#kept.filter((c) => c.end > from || (c.end > base && c.start < handed));
  }

  /** Ends the stream, unless bytes are wanted again that are not kept. */
  #end(): void {
    let at, end;
    do {
      end = this.#size;
      this.#instance.ask(this.#handle, "finish");
      at = this.#instance.rewind(this.#handle, end);
      this.#feed(at);
    } while (at !== end && this.#size === end);
    this.#ended = this.#size === end;
    this.#news = true;
  }

  /** Where begins what has not been told and is not aside. */
  get #openAt(): number {
    return this.#aside.at(-1)?.end ?? this.place.handed;
  }

  /** Gathers what is new. Either all of it counts as told or, should it trap, nothing. */
  #collect(fragments = false): void {
    const instance = this.#instance;
    const handle = this.#handle;
    const { wanted } = this.#options;
    const pieces: Piece[] = [];
    for (let header; (header = instance.ask(handle, "takeHeader") as ToldHeader | null); ) pieces.push({ recording: header.recordingIndex, range: header, header });
    for (const { recording, form } of instance.takeForms(handle)) pieces.push({ recording, range: form, form });
    const clusters = instance.takeClusters(handle, fragments ? "takeFragments" : "takeClusters");
    let report = instance.ask(handle, "report") as ModuleReport;
    if (wanted === "nothing") {
      this.#told.report = report;
      return;
    }
    pieces.sort((a, b) => a.range.start - b.range.start);

    const { place } = this;
    const { handed, given } = place;
    const fresh = pieces.filter((p) => p.range.end > handed);
    const stored = fresh
      .map((piece, i) => this.#store(piece, fresh[i - 1]?.range.end))
      .filter((s) => s.header || wanted === "store");
    const changed = new Map(stored.map((s) => [s.start, s.changed]));
    const taken = clusters.filter((c) => c.end > given).map((c) => this.#take(c, c.fragment ? undefined : changed.get(c.form.start)));
    place.given = taken.at(-1)?.facts.end ?? given;
    place.handed = fresh.at(-1)?.range.end ?? handed;
    report = this.#known?.with(report, place, this.#again, pieces, handed) ?? report;

    this.#told.report = place.report = report;
    for (const one of taken) this.#told.clusters.push(one);
    for (const one of stored) {
      this.#told.stored.push(one);
      if (one.header) place.headers.push({ ...one.header, data: one.head });
    }
    if (fresh.length > 0) this.#aside = [];
    for (const { form } of fresh) if (form) place.bounds.push(form.start);
    place.bounds.splice(0, place.bounds.findLastIndex((bound) => bound < place.handed - enough));
  }

  /** A piece with its bytes, and those between what is told before it and it. */
  #store({ recording, range, header, form }: Piece, before?: number): Stored {
    const inStore = this.#options.wanted === "store";
    const { data, changed } = form && inStore ? this.#edited(recording, form) : { data: [], changed: [] };
    return {
      recording,
      start: range.start,
      before: inStore ? this.#between(before, range.start) : [],
      head: form?.head ?? this.#copy(range.start, range.end),
      data,
      changed,
      header,
    };
  }

  /** What the stream has up to start, from the end of a piece on or of what has been told. */
  #between(end: number | undefined, start: number): (Blob | Bytes)[] {
    const bytes = this.#copy(end ?? this.#openAt, start);
    const parts = bytes.length > smallLength ? [new Blob([bytes])] : [bytes];
    return end === undefined ? [...this.#aside.map((a) => a.data), ...parts] : parts;
  }

  /** A cluster or a fragment with the bytes that the store does not have. */
  #take(facts: ToldCluster, changed: number[] | undefined): Taken {
    const { recordingIndex: recording, form, fragment } = facts;
    const head = fragment ? form.head : this.#copy(facts.start, form.start);
    return changed ? { facts, head, data: null, changed } : { facts, head, ...this.#edited(recording, form) };
  }

  /** The data of a cluster in its final form, and what that changed. */
  #edited(recording: number, form: Form): { data: Bytes[]; changed: number[] } {
    if (!form.edit) return { data: this.#cut(form.start, form.end), changed: [] };
    const bytes = this.#copy(form.start, form.end);
    return { data: [bytes], changed: this.#instance.edit(this.#handle, recording, bytes) };
  }

  #copy(start: number, end: number): Bytes {
    return joined(this.#cut(start, end));
  }

  /** What is kept of a range. */
  #cut(start: number, end: number): Bytes[] {
    return this.#kept
      .map((c) => c.data.subarray(Math.max(0, start - c.start), Math.max(0, end - c.start)))
      .filter((part) => part.length > 0);
  }
}

function nothing(): Told {
  return { stored: [], clusters: [], report: null, memory: 0 };
}
