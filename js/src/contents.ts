// What a stream has yielded so far: its recordings and their stores, its segments, and the report.

import { mended } from "./base/bytes.js";
import type { Report } from "./base/types.js";
import type { Past, Taken, Told } from "./engine/calls.js";
import type { Found } from "./inside.js";
import { Store } from "./media/store.js";
import { Cluster, Header, type Segment } from "./segment.js";
import { Segments } from "./segments.js";

interface Kept {
  /** The media type of the recording. */
  type: string;
  store: Store;
  initialization?: Promise<Blob>;
}

export class Contents implements Found {
  /** Whether media is kept. */
  readonly keep: boolean;
  /** Those in the stream, the last of which may go on. */
  recordings: Kept[] = [];
  readonly segments: Segments;
  report: Report = { bytes: 0, recordings: [], other: [], dropped: [], gaps: [], undecodable: [], unlisted: 0, missing: [], error: null };
  /** Bytes of the module's memory. */
  memory = 0;
  state: Found["state"] = "recording";
  readonly #initialization: (recording: number) => Promise<Blob>;
  #sequence = 0; // of the next segment
  #watchers = new Set<() => void>(); // previews, replays and uploads

  /**
   * @param finished says how streams of segments end
   * @param initialization makes an initialization segment of a recording
   */
  constructor(keep: boolean, finished: Promise<unknown>, initialization: (recording: number) => Promise<Blob>) {
    this.keep = keep;
    this.segments = new Segments(finished);
    this.#initialization = initialization;
  }

  /** Takes in what is complete. */
  add({ stored, clusters, report, memory }: Told): void {
    this.memory = memory;
    const placed = new Map<number, number>(); // clusters by the start of their data: where the store has it
    const fresh: Segment[] = [];
    for (const { recording, start, before, head, data, header } of stored) {
      if (header) {
        this.recordings[recording] = { type: header.mimeType, store: new Store(before, head) };
        fresh.push(new Header(header, mended(head)));
      } else {
        const { store } = this.recordings[recording]!;
        placed.set(start, store.size + head.length);
        store.add(before, head, data);
      }
    }
    // Whoever takes each as it comes is spared the Blobs.
    if (!this.keep) this.segments.rest();
    for (const taken of clusters) fresh.push(this.#cluster(taken, placed.get(taken.facts.form.start)));
    for (const segment of fresh.sort((a, b) => a.start - b.start)) segment.sequence = this.#sequence++;
    this.segments.add(fresh);
    if (report) this.report = { ...report, missing: [] };
    this.#tell();
  }

  #cluster({ facts, head, data, changed }: Taken, at: number | undefined): Cluster {
    const { form, fromZero, fragment, recordingIndex: recording } = facts;
    const kept = this.recordings[recording]!;
    return new Cluster(facts, {
      head,
      changed: fragment ? [] : changed,
      form,
      fromZero,
      type: kept.type,
      initialization: () => (kept.initialization ??= this.#initialization(recording)),
      data: () => data ?? kept.store.parts(at!, at! + form.end - form.start),
    });
  }

  /** What is kept of the stream, to be scanned again. */
  past(): Past[] {
    return this.keep ? this.recordings.map(({ store }) => store.past()) : [];
  }

  /** Says that there will be nothing more. */
  end(): void {
    for (const { store } of this.recordings) store.close();
    this.state = "finished";
    this.#tell();
  }

  /** Forgets the media, and what has not been taken: whoever reads that is told the reason. */
  clear(reason: unknown): void {
    this.segments.clear(reason);
    this.recordings = [];
    this.state = "closed";
    this.#tell();
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #tell(): void {
    for (const changed of this.#watchers) changed();
  }
}
