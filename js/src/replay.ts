// Instant replay: the last seconds of what is recorded, at any time. What keeps them is loaded
// when the first replay is made.

/// <reference lib="esnext.disposable" preserve="true" />

import { attaching, type AttachOptions, type Recorder } from "./attach.js";
import type { Chunk } from "./base/blobs.js";
import { late } from "./base/error.js";
import { number } from "./base/options.js";
import { clip, join } from "./files.js";
import type { JobOptions, MediaFile } from "./media/plan.js";
import { checkRecording, type RecordingOptions } from "./options.js";
import { Recording } from "./recording.js";
import type { Tail } from "./tail.js";

/** Options of a replay, and those of the recording that is its source. */
export interface ReplayOptions extends Omit<RecordingOptions, "keep" | "spool"> {
  /** How many seconds can be had of what came last, from 0 on. Default 30. */
  seconds?: number | undefined;
}

/** What that must be. */
const replaying = { seconds: number };

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
  #tail: Tail | null = null; // until it is there, everything waits in the source

  /**
   * Ready at once, for chunks that are pushed, or for what comes to `source`: a recording with
   * `keep: false`, which is the replay's from then on. Throws a WebmendError of code
   * `invalid-argument` as `new Recording` does.
   */
  constructor(options: ReplayOptions = {}, source?: Recording) {
    const { seconds = 30, ...others } = checkRecording(options, replaying);
    this.#seconds = seconds;
    this.#source = source ?? new Recording({ ...others, keep: false });
    this.#load().catch(() => {}); // clip tries again
  }

  /** A replay of all that a recorder delivers from now on. Throws what `Recording.attach` throws. */
  static attach(recorder: Recorder, options: ReplayOptions & Pick<AttachOptions, "restarts" | "signal"> = {}): Replay {
    const { seconds, ...others } = checkRecording(options, { ...replaying, ...attaching });
    return new Replay({ seconds }, Recording.attach(recorder, { ...others, keep: false }));
  }

  /** Takes the next chunk, and settles, as `Recording.pushChunk` does. */
  pushChunk(data: Chunk, options?: { sequence?: number | undefined }): Promise<void> {
    return this.#source.pushChunk(data, options);
  }

  /**
   * A seekable file of the last seconds, whose times begin at 0: from the last key frame
   * before them, up to the last whole frame. `start` and `end` are where that is in the
   * recording or, if the recorder was started again meanwhile, in the file.
   *
   * Rejects with a WebmendError of code `no-clusters` while there is nothing, and of code
   * `load` if the script `tail.js`, beside this one, cannot be loaded: what was recorded waits
   * until it can.
   */
  async clip(options: JobOptions = {}): Promise<MediaFile> {
    return (await this.#load()).clip(options);
  }

  /** Bytes of media that are kept. */
  get size(): number {
    return this.#tail?.size ?? 0;
  }

  /** Lets go of the recorder and of all that is kept; `using` calls it too. */
  close(): void {
    this.#source.close();
    this.#tail?.close();
  }

  async #load(): Promise<Tail> {
    const { Tail } = await late("tail.js", import("./tail.js"));
    return (this.#tail ??= new Tail(this.#source, this.#seconds, { clip, join }));
  }
}
export interface Replay extends Disposable {}
if (Symbol.dispose) Replay.prototype[Symbol.dispose] = Replay.prototype.close;
