// Instant replay: keeps the last seconds of a recording that may never end.

/// <reference lib="esnext.disposable" preserve="true" />

import type { AttachOptions, Recorder } from "./attach.js";
import { WebmendError } from "./base/error.js";
import { clip, join } from "./files.js";
import type { JobOptions, Made } from "./media/plan.js";
import type { Chunk } from "./options.js";
import { Recording } from "./recording.js";
import type { Cluster } from "./segment.js";

/** Options of a replay, and those of the recording that is its source. */
export interface ReplayOptions extends Omit<AttachOptions, "keep" | "spool"> {
  /** How many seconds can be had of what came last. Default 30. */
  seconds?: number;
}

/** What is kept of a recording of the stream. */
interface Kept {
  recording: number;
  initialization: Promise<Blob>;
  clusters: Cluster[];
}

/**
 * Keeps the last seconds of what is recorded for as long as it goes on, and makes a
 * file of them at any time. What is older is let go of, up to the key frame that the
 * picture must begin with.
 *
 * ```js
 * const replay = Replay.attach(recorder, { seconds: 30 });
 * recorder.start(1000);
 * saveButton.onclick = async () => save((await replay.clip()).blob);
 * ```
 */
export class Replay {
  readonly #seconds: number;
  readonly #source: Recording;
  #kept: Kept[] = [];

  /** Ready at once, for chunks that are pushed, or for what comes to `source`: a recording with `keep: false`, which is the replay's from then on. */
  constructor(options: ReplayOptions = {}, source = new Recording({ ...options, keep: false })) {
    this.#seconds = options.seconds ?? 30;
    this.#source = source;
    source.watch(() => this.#take(false));
  }

  /** A replay of all that a recorder delivers from now on, as `Recording.attach` has it. */
  static attach(recorder: Recorder, options: ReplayOptions = {}): Replay {
    return new Replay(options, Recording.attach(recorder, { ...options, keep: false }));
  }

  /** Takes the next chunk, and settles, as `Recording.pushChunk` does. */
  pushChunk(data: Chunk, options?: { sequence?: number }): Promise<void> {
    return this.#source.pushChunk(data, options);
  }

  /**
   * A seekable file of the last seconds, whose times begin at 0: from the last key frame
   * before them, up to the last whole frame. `start` and `end` are where that is in the
   * recording or, if the recorder was started again meanwhile, in the file.
   *
   * Rejects with a WebmendError of code `no-clusters` while there is nothing.
   */
  async clip(options: JobOptions = {}): Promise<Made> {
    this.#take(true);
    const from = this.#trim();
    const parts = this.#kept.map(async ({ initialization, clusters }) => new Blob([await initialization, ...clusters.map((c) => c.sized())]));
    const [first, ...others] = await Promise.all(parts);
    if (!first) throw new WebmendError({ code: "no-clusters", message: "webmend: there is nothing to replay yet" });
    const made = await clip(first, { start: from, end: Infinity, ...options });
    return others.length > 0 ? join([made.blob, ...others], options) : made;
  }

  /** Bytes of media that are kept. */
  get size(): number {
    return this.#kept.flatMap((k) => k.clusters).reduce((size, { start, end }) => size + end - start, 0);
  }

  /** Lets go of the recorder and of all that is kept; `using` calls it too. */
  close(): void {
    this.#source.close();
    this.#kept = [];
  }

  /** Takes what is new, `partial` with what there is of the open cluster. */
  #take(partial: boolean): void {
    for (let header; (header = this.#source.takeHeader()); ) {
      const { recording } = header;
      const initialization = this.#source.initializationSegment({ recording });
      initialization.catch(() => {}); // clip says it
      this.#kept.push({ recording, initialization, clusters: [] });
    }
    for (const cluster of this.#source.takeClusters({ partial })) {
      cluster.rest();
      this.#kept.find((k) => k.recording === cluster.recording)?.clusters.push(cluster);
    }
    this.#trim();
  }

  /** Lets go of what is too old, and returns where in the first recording that is left the last seconds begin. */
  #trim(): number {
    const kept: Kept[] = [];
    let seconds = this.#seconds;
    let from = 0;
    for (const part of this.#kept.toReversed()) {
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
export interface Replay extends Disposable {}
if (Symbol.dispose) Replay.prototype[Symbol.dispose] = Replay.prototype.close;
