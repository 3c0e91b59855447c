// What functions that are called back can do wrong, for tests in pages and in Node.

export const broken = () => new Error("in this test");

/** What they do, and whether the page or the console hears of it. */
export const callbacks = {
  "throws": [() => { throw broken(); }, true],
  "returns a promise that rejects": [() => Promise.reject(broken()), true],
  "returns what pretends to be a promise": [() => ({ then() { throw broken(); } }), true],
  "returns a number": [() => 5, false],
  "returns a function": [() => () => { throw broken(); }, false],
};
