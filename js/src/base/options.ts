// Checks the options that a page gives: names that there are not, and values that cannot be.

import { check } from "./error.js";

/** Options by name, and what each may be, in words with its `typeof` among them. Numbers are from 0 on. @internal */
export type Known = Record<string, string>;

/** Throws a WebmendError of code `invalid-argument` that names an option that is wrong. @internal */
export function checkOptions<Options>(given: Options, known: Known): Options {
  for (const name in given) {
    const value = given[name] as any;
    const kind = known[name];
    check(value === undefined || (kind?.includes(typeof value) && value !== null && !(value < 0 || value !== value)), `option ${name} is ${kind ? `not ${kind}` : `none of ${Object.keys(known)}`}`);
  }
  return given ?? ({} as Options);
}
