// Checks the options that a page gives: names that there are not, and values that cannot be.

import { check } from "./error.js";

/**
 * Options by name, and what each must be, in words with its `typeof` among them. Numbers are
 * from 0 on.
 *
 * @internal
 */
export type Known = Record<string, string>;

// What options must be.
export const boolean = "a boolean";
export const number = "a number from 0 on";
export const text = "a string";
export const callback = "a function";
export const abortSignal = "an AbortSignal object";

/** Throws a WebmendError of code `invalid-argument` that names an option that is wrong. @internal */
export function checkOptions<Options>(given: Options, known: Known): Options {
  for (const name in given) {
    const value = given[name] as any;
    const kind = known[name];
    const isRight = kind?.includes(typeof value) && value !== null && (typeof value !== "number" || value >= 0) && (kind !== abortSignal || value.throwIfAborted);
    check(value === undefined || isRight, `option ${name} ${kind ? `must be ${kind}` : `is none of ${Object.keys(known)}`}`);
  }
  return given ?? ({} as Options);
}
