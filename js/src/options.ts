// The options of a recording.

import type { Chunk } from "./base/blobs.js";
import { boolean, callback, checkOptions, number, text, type Known } from "./base/options.js";
import type { Header } from "./segment.js";
import type { SpoolOptions } from "./spool.js";

/** Options of a recording. */
export interface RecordingOptions {
  /**
   * Whether to keep the media, in the browser's Blobs, so that `seekable`, `clip` and
   * `joinPoint` can be asked for. Default true. With false, clusters that are taken
   * are the only thing that holds it: in the page's memory, if they are taken as they come.
   */
  keep?: boolean | undefined;
  /**
   * Whether to keep a copy of the chunks on disk as well, which outlives the page: should
   * that crash, or be closed, `Recording.recoverable` has what was recorded. `discard`
   * deletes it. Default false.
   *
   * It is in the origin private file system, in the order of the stream, and each chunk is
   * flushed before its `pushChunk` resolves, even if the module cannot be loaded; in
   * IndexedDB where the page cannot have that, and where it can have neither, in memory
   * alone, with a warning. The browser may clear both when the disk is full, unless
   * `navigator.storage.persist()` was granted.
   */
  spool?: boolean | SpoolOptions | undefined;
  /**
   * What a recording begins with that is joined after its beginning, as `takeHeader` gave
   * it once: its bytes count as the first of the stream, and what is pushed is taken in
   * from the next cluster on.
   */
  header?: Chunk | Header | undefined;
  /** Whether the first damage ends the recording. Default false: it goes on at the next cluster. */
  strict?: boolean | undefined;
  /** What a stream may ask for. */
  limits?: Limits | undefined;
}

/** Limits of a recording. What is not given has its default. */
export interface Limits {
  /** Bytes of a header. Default 64 MiB: room for the attachments of a film. A larger one is an error of code `too-large`. */
  headerSize?: number | undefined;
  /** Tracks of a recording. Default 128. More are such an error. */
  tracks?: number | undefined;
  /** Bytes of a cluster. Default 256 MiB. What would make it larger counts as damage. */
  clusterSize?: number | undefined;
  /**
   * Numbered chunks that wait for one before them. Default 100: with a chunk every 100 ms
   * to a second, what comes while one is sent again for 10 to 100 seconds.
   */
  waitingChunks?: number | undefined;
}

const limits = { headerSize: number, tracks: number, clusterSize: number, waitingChunks: number };

/** What those must be that a replay has not. @internal */
export const keeping = { keep: boolean, spool: "a boolean or an object" };

/**
 * Returns the options of a recording, or of what has one, which may have `more`. Throws a
 * WebmendError of code `invalid-argument` that names the first that is wrong.
 *
 * @internal
 */
export function checkRecording<Options extends RecordingOptions>(options: Options, more: Known): Options {
  options = checkOptions(options, { strict: boolean, header: "a Header, Blob or bytes object", limits: "an object", ...more });
  checkOptions(options.limits, limits);
  checkOptions(options.spool as object, { name: text, onWarning: callback });
  return options;
}
