// The last seconds of a recording that may never end, which an instant replay keeps. Loaded on
// demand.

import { WebmendError } from "./base/error.js";
import type { clip, join } from "./files.js";
import type { JobOptions, MediaFile } from "./media/plan.js";
import type { Recording } from "./recording.js";
import type { Cluster } from "./segment.js";

/** What is kept of a recording of the stream. */
interface Kept {
  recordingIndex: number;
  initialization: Promise<Blob>;
  clusters: Cluster[];
}

/** Takes what is completed of a recording, and lets go of what is too old. @internal */
export class Tail {
  readonly #source: Recording;
  readonly #seconds: number;
  readonly #files: { clip: typeof clip; join: typeof join };
  #kept: Kept[] = [];

  /** @param files makes files of others */
  constructor(source: Recording, seconds: number, files: { clip: typeof clip; join: typeof join }) {
    this.#source = source;
    this.#seconds = seconds;
    this.#files = files;
    source.watch(() => this.#take(false));
    this.#take(false);
  }

  async clip(options: JobOptions): Promise<MediaFile> {
    this.#take(true);
    const from = this.#trim();
    const parts = this.#kept.map(async ({ initialization, clusters }) => new Blob([await initialization, ...clusters.map((c) => c.sized())]));
    const [first, ...others] = await Promise.all(parts);
    if (!first) throw new WebmendError({ code: "no-clusters", message: "webmend: there is nothing to replay yet" });
    const made = await this.#files.clip(first, { start: from, end: Infinity, ...options });
    return others.length > 0 ? this.#files.join([made.blob, ...others], options) : made;
  }

  get size(): number {
    return this.#kept.flatMap((k) => k.clusters).reduce((size, { start, end }) => size + end - start, 0);
  }

  close(): void {
    this.#kept = [];
  }

  /** Takes what is new, `partial` with what there is of the open cluster. */
  #take(partial: boolean): void {
    for (let header; (header = this.#source.takeHeader()); ) {
      const { recordingIndex } = header;
      const initialization = this.#source.initializationSegment({ recordingIndex });
      initialization.catch(() => {}); // clip says it
      this.#kept.push({ recordingIndex, initialization, clusters: [] });
    }
    for (const cluster of this.#source.takeClusters({ partial })) {
      cluster.rest();
      this.#kept.find((k) => k.recordingIndex === cluster.recordingIndex)?.clusters.push(cluster);
    }
    this.#trim();
  }

  /** Lets go of what is too old, and returns where in the first recording that is left the last seconds begin. */
  #trim(): number {
    const kept: Kept[] = [];
    let seconds = this.#seconds;
    let from = 0;
    for (const part of [...this.#kept].reverse()) {
      const { clusters } = part;
      const last = clusters.at(-1);
      if (seconds <= 0 || (!last && kept.length > 0)) continue;
      kept.unshift(part);
      if (!last) continue;
      from = last.time + last.duration - seconds;
      const first = clusters.findLastIndex((c) => c.beginsWithKeyFrame && c.time <= from);
      if (first > 0) clusters.splice(0, first);
      seconds = clusters[0]!.time - from;
    }
    this.#kept = kept;
    return from;
  }
}
