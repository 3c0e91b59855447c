// The error that all of webmend throws, and how what the page gives and what is loaded late can fail.

import type { ErrorCode } from "./codes.js";
import type { Problem } from "./types.js";

/**
 * What all of webmend throws, besides the reason of an `AbortSignal`.
 *
 * `instanceof` knows it whichever copy of the package or of its scripts has thrown it.
 */
export class WebmendError extends Error implements Problem {
  override readonly name = "WebmendError";
  readonly code: ErrorCode;
  readonly offset: number;
  readonly path: string;

  constructor(problem: { code: ErrorCode; message: string; offset?: number; path?: string }, options?: ErrorOptions) {
    super(problem.message, options);
    this.code = problem.code;
    this.offset = problem.offset ?? 0;
    this.path = problem.path ?? "";
  }

  static override [Symbol.hasInstance](error: unknown): error is WebmendError {
    return Object(error).name === "WebmendError";
  }
}

/** Whether the module has trapped, or its worker has ended: what there was can be scanned again in another. @internal */
export function trapped(error: unknown): boolean {
  return error instanceof WebmendError && /^(trap|worker)$/.test(error.code);
}

/** Throws a WebmendError of code `invalid-argument` with this message, unless what it says holds. @internal */
export function check(holds: unknown, message: string): asserts holds {
  if (!holds) throw new WebmendError({ code: "invalid-argument", message: `webmend: ${message}` });
}

/**
 * Calls back a function of the page's. What it throws, or rejects with, is reported as an
 * error of the page, and what it returns is nobody's: neither can do the recording harm.
 *
 * @internal
 */
export function tell<Args extends unknown[]>(callback: ((...args: Args) => unknown) | undefined, ...args: Args): void {
  new Promise((resolve) => resolve(callback?.(...args))).catch((error) => {
    (globalThis.reportError ?? console.error)(error); // Node has none
  });
}

/**
 * Scripts that could be loaded only under another address, by name: Firefox never fetches one
 * again that it could not load once.
 */
const again: Record<string, Promise<any> | undefined> = {};

/**
 * What a script beside this one exports, which is loaded when it is needed. Rejects with a
 * WebmendError of code `load`, also if it has not come within 20 seconds; the next call tries
 * again.
 *
 * @internal
 */
export function late<Script>(name: string, script: Promise<Script>): Promise<Script> {
  let timer: ReturnType<typeof setTimeout>;
  const over = new Promise<never>((_, reject) => (timer = setTimeout(reject, 20_000, "no answer")));
  return Promise.race([script, over])
    .finally(() => clearTimeout(timer))
    .catch((cause) => {
      // Browsers say at the end where they looked, which bundlers decide.
      const [address] = String(cause).match(/https?:\S+$/) ?? [];
      again[name] ??= import(`${address}?${Date.now()}`);
      return again[name].catch(() => {
        again[name] = undefined;
        throw new WebmendError({ code: "load", message: `webmend: ${name} could not be loaded (${cause}). It must be beside this script; a service worker needs webmend/inline` }, { cause });
      });
    });
}
