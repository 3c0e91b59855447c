// The error that all of webmend throws.

import type { Problem } from "./types.js";

/**
 * What all of webmend throws.
 *
 * Besides the codes of a damaged stream, which the module gives: `load` (the
 * module could not be loaded), `trap` (a bug in it, which the same bytes have shown
 * twice), `read` (a Blob could not be read), `waiting` (too many chunks wait for one that
 * is missing), `low-space` and `spool` (warnings of what is kept on disk), `finished` (it
 * came after `finish` or `close`), `not-kept` (the recording was made with `keep: false`).
 */
export class WebmendError extends Error implements Problem {
  override readonly name = "WebmendError";
  readonly code: string;
  readonly offset: number;
  readonly path: string;

  constructor(problem: { code: string; message: string; offset?: number; path?: string }, options?: ErrorOptions) {
    super(problem.message, options);
    this.code = problem.code;
    this.offset = problem.offset ?? 0;
    this.path = problem.path ?? "";
  }
}

/** Whether the module has trapped: what there was can be scanned again in another instance. @internal */
export function trapped(error: unknown): boolean {
  return error instanceof WebmendError && error.code === "trap";
}
