// One stream in an instance of the module: it reads and scans what is pushed, and returns the
// bytes of what is complete. It keeps those that the module may still want, and those to scan
// again after a trap.

import { joined, read, type Bytes } from "../base/bytes.js";
import { late } from "../base/error.js";
import type { Range } from "../base/types.js";
import type { Form, ModuleReport, ToldCluster, ToldHeader } from "./answers.js";
import type { Past, Pieces, Stored, StreamCalls, StreamOptions, Taken, Told } from "./calls.js";
import type { Known, Placed } from "./midstream.js";
import { Instance } from "./module.js";

/** How many bytes that are no header or cluster wait to be put aside: each Blob has its price. */
const asideLength = 1 << 20;

/** How many bytes between clusters a store keeps in the page's memory. */
const smallLength = 4 << 10;

/** How many bytes are kept of what has been told, to go on from after a trap, where there is no store. */
const recentLength = 1 << 20;

/** More than the head of a cluster has, which ends the one before it. */
const headLength = 16;

type Midstream = typeof import("./midstream.js");

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
  #losses: number[] = []; // where bytes are missing
  #aside: Blob[] = []; // what the module wants no more of what has not been told, up to #asideEnd
  #asideEnd = 0;
  #needed = 0; // by the module

  #news = false; // in the module
  #told = nothing();
  #report: ModuleReport | null = null;
  #handed = 0; // where the last header or whole cluster ends that has been told
  #given = 0; // likewise the last cluster or fragment

  // To scan again after a trap. Where there is no store the script is fetched before it is
  // needed, as it might not come then; what is in a store can wait for it.
  readonly #fetched: Promise<Midstream> | null;
  #again = false;
  #headers: Placed[] = [];
  #bounds = [0]; // where it can begin: at the beginning, or the data of a cluster
  #known: Known | null = null; // after a trap

  constructor(module: WebAssembly.Module, instance: Instance, options: StreamOptions) {
    this.#module = module;
    this.#instance = instance;
    this.#options = options;
    this.#handle = this.#open();
    this.#fetched = options.wanted === "clusters" ? late("midstream.js", import("./midstream.js")) : null;
    this.#fetched?.catch(() => {}); // recover says it
  }

  get handle(): number {
    return this.#handle;
  }

  async push(chunk: Blob | Bytes): Promise<number> {
    const bytes = ArrayBuffer.isView(chunk) ? chunk : await read(chunk, `the chunk at ${this.#size}`, this.#size);
    if (!this.#closed) {
      this.#starts = this.#options.starts ?? [this.#size];
      this.#scan(bytes);
      this.#settle();
    }
    return this.#size;
  }

  async lost(): Promise<void> {
    this.#losses.push(this.#size);
    this.#feed(this.#lose(this.#size));
    this.#settle();
  }

  async finish(): Promise<number> {
    this.#ended = true;
    this.#settle();
    return this.#ended ? -1 : this.#size;
  }

  async recover(past: Past[]): Promise<void> {
    const { Known, prologue, recorded } = await (this.#fetched ?? late("midstream.js", import("./midstream.js")));
    const inStore = this.#options.wanted === "store";
    const base = inStore ? this.#handed : this.#bounds[0]!;
    const inMiddle = !inStore && base > 0;
    const ahead = this.#openAt + headLength;
    const rest = [this.#copy(base, this.#handed), ...this.#aside, this.#copy(this.#openAt, ahead), this.#copy(ahead, this.#size)];
    this.#known = new Known(this.#report, this.#size, inMiddle);
    this.#forget();
    this.#again = true;
    try {
      this.#instance = new Instance(this.#module); // of its own, so that no other stream harms it
      this.#handle = this.#open();
      if (inMiddle) this.#losses = this.#losses.filter((offset) => offset > base);
      for (const { start, bytes } of inMiddle ? prologue(this.#headers, base) : []) {
        this.#instance.skip(this.#handle, (this.#size = start));
        this.#rescan(bytes);
      }
      if (this.#losses[0] === 0) this.#feed(this.#lose(0));
      for (const store of past) for await (const bytes of recorded(store)) this.#rescan(bytes);
      for (const part of rest) {
        const bytes = ArrayBuffer.isView(part) ? part : await read(part, "what was recorded");
        const given = Math.max(0, this.#given - this.#size);
        this.#rescan(bytes.subarray(0, given));
        this.#rescan(bytes.subarray(given));
      }
      this.#again = false;
      this.#news = true;
      this.#settle();
    } catch (error) {
      this.#forget();
      this.#ended = true; // where the past does
      this.#bounds = [this.#handed];
      throw error;
    }
  }

  take(fragments = false): Told {
    if (fragments && !this.#again && !this.#ended && !this.#closed) {
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

  async plan(kind: number, recording: number, flags: number, a?: number, b?: number): Promise<Pieces> {
    return this.#begin(this.#instance.plan(this.#handle, kind, recording, flags, a, b));
  }

  async join(handles: number[], flags: number): Promise<Pieces> {
    return this.#begin(this.#instance.join([this.#handle, ...handles], flags));
  }

  async complete(plan: number, reads: Blob[]): Promise<Pieces> {
    for (const blob of reads) this.#instance.pushAll(plan, await read(blob, "what was recorded"));
    return this.#pieces(plan);
  }

  async edit(plan: number, i: number, blob: Blob): Promise<Bytes> {
    const bytes = await read(blob, "what was recorded");
    this.#instance.edit(plan, i, bytes);
    return bytes;
  }

  async closePlan(plan: number): Promise<void> {
    this.#instance.close(plan);
  }

  async read(start: number, end: number): Promise<Bytes> {
    const aside = new Blob(this.#aside);
    const begin = this.#asideEnd - aside.size;
    const first = start < this.#asideEnd ? [await read(aside.slice(start - begin, end - begin), "what was recorded")] : [];
    return joined([...first, ...this.#cut(Math.max(start, this.#asideEnd), end)]);
  }

  close(): void {
    if (!this.#closed) this.#instance.close(this.#handle);
    this.#closed = true;
    this.#forget();
  }

  #open(): number {
    return this.#instance.open(0, { ...this.#options, rewinds: true });
  }

  #begin(plan: number): Pieces {
    try {
      return this.#pieces(plan);
    } catch (error) {
      this.#instance.close(plan);
      throw error;
    }
  }

  #pieces(plan: number): Pieces {
    const pieces = this.#instance.takePlan(plan);
    return "reads" in pieces ? { plan, ...pieces } : { plan, ...pieces, literals: this.#instance.takeLiterals(plan) };
  }

  /** Lets go of all bytes. */
  #forget(): void {
    this.#kept = [];
    this.#aside = [];
    this.#asideEnd = this.#size = 0;
  }

  /** Takes in bytes that it had before the trap: what has been told is not told again. */
  #rescan(bytes: Bytes): void {
    this.#scan(bytes);
    // Of a cluster of which fragments have been told, only what comes after them.
    if (this.#size === this.#given && this.#given > this.#handed) this.#collect(true);
    else this.#settle();
  }

  /** Takes in bytes, and has them scanned. */
  #scan(bytes: Bytes): void {
    const start = this.#size;
    this.#size += bytes.length;
    if (bytes.length > 0) this.#kept.push({ start, end: this.#size, bytes });
    this.#feed(start);
  }

  /** Gives the module what is kept from an offset on, and what it wants again: up to where the stream goes on. */
  #feed(at: number): void {
    for (let kept; (kept = this.#kept.findLast((c) => c.start <= at && at < c.end)); ) {
      const { start, end, bytes } = kept;
      while (this.#starts[this.#begun]! <= at) this.#begun++;
      while (this.#starts[this.#begun - 1]! > at) this.#begun--;
      const loss = this.#losses.find((offset) => offset > at) ?? Infinity;
      const next = Math.min(at + this.#instance.pace, end, loss, this.#starts[this.#begun] ?? Infinity);
      const goesOn = this.#starts[this.#begun - 1] !== at;
      this.#note(this.#instance.push(this.#handle, bytes.subarray(at - start, next - start), goesOn));
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
    this.#news ||= status !== 0;
  }

  /** Ends the stream if it is to be, gathers what is new, and lets go of what is old. */
  #settle(): void {
    if (this.#ended && !this.#again) this.#end();
    if (this.#news) this.#collect(false);
    this.#news = false;

    const needed = this.#instance.needed(this.#handle);
    if (needed !== this.#needed) this.#letGo(needed);
    this.#needed = needed;
  }

  /** Lets go of bytes before an offset that nobody wants, and puts aside those for a store or another instance. */
  #letGo(needed: number): void {
    const { wanted } = this.#options;
    if (wanted !== "nothing" && needed - this.#openAt >= asideLength) {
      this.#aside.push(new Blob([this.#copy(this.#openAt, needed)]));
      this.#asideEnd = needed;
    }
    const from = wanted === "nothing" ? needed : Math.min(needed, this.#openAt);
    const base = wanted === "clusters" ? this.#bounds[0]! : Infinity;
    this.#kept = this.#kept.filter((c) => c.end > from || (c.end > base && c.start < this.#handed));
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
    return Math.max(this.#handed, this.#asideEnd);
  }

  /** Gathers what is new. Either all of it counts as told or, should it trap, nothing. */
  #collect(fragments: boolean): void {
    const instance = this.#instance;
    const handle = this.#handle;
    const { wanted } = this.#options;
    const pieces: Piece[] = [];
    for (let header; (header = instance.ask(handle, "takeHeader") as ToldHeader | null); ) pieces.push({ recording: header.recording, range: header, header });
    for (const { recording, form } of instance.takeForms(handle)) pieces.push({ recording, range: form, form });
    const clusters = instance.takeClusters(handle, fragments ? "takeFragments" : "takeClusters");
    let report = instance.ask(handle, "report") as ModuleReport;
    if (wanted === "nothing") {
      this.#told.report = report;
      return;
    }
    pieces.sort((a, b) => a.range.start - b.range.start);

    const fresh = pieces.filter((p) => p.range.end > this.#handed);
    const stored = fresh
      .map((piece, i) => this.#store(piece, fresh[i - 1]?.range.end))
      .filter((s) => s.header || wanted === "store");
    const changed = new Map(wanted === "store" ? stored.map((s) => [s.start, s.changed]) : []);
    const taken = clusters.filter((c) => c.end > this.#given).map((c) => this.#take(c, c.fragment ? undefined : changed.get(c.form.start)));
    if (this.#again) {
      if (pieces.some((p) => p.range.end === this.#handed)) {
        for (const { recording, form } of fresh) if (form) report.recordings[recording]!.clusters--;
        this.#known!.again = report;
      }
      report = this.#report!;
    } else {
      report = this.#known?.with(report) ?? report;
    }

    const told = this.#told;
    told.stored = told.stored.concat(stored);
    told.clusters = told.clusters.concat(taken);
    told.report = this.#report = report;
    this.#given = taken.at(-1)?.facts.end ?? this.#given;
    if (fresh.length === 0) return;
    this.#aside = [];
    this.#handed = fresh.at(-1)!.range.end;
    for (const { header, head } of stored) if (header) this.#headers.push({ ...header, bytes: head });
    for (const { form } of fresh) if (form) this.#bounds.push(form.start);
    const recent = this.#handed - recentLength;
    this.#bounds.splice(0, this.#bounds.findLastIndex((bound) => bound < recent));
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
    return end === undefined ? [...this.#aside, ...parts] : parts;
  }

  /** A cluster or a fragment with the bytes that the store does not have. */
  #take(facts: ToldCluster, changed: number[] | undefined): Taken {
    const { recording, form, fragment } = facts;
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
      .map((c) => c.bytes.subarray(Math.max(0, start - c.start), Math.max(0, end - c.start)))
      .filter((part) => part.length > 0);
  }
}

function nothing(): Told {
  return { stored: [], clusters: [], report: null, memory: 0 };
}
