// The codes of errors: the types have them all, README.md explains each, and the module uses
// no others.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const found = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]).sort();

describe("the codes of errors", () => {
  const inTypes = found(read("js/src/base/codes.ts"), /^ {2}\| "([a-z-]+)"/gm);

  test("are a table in README.md", () => {
    const [, table] = read("js/README.md").match(/^\| code \| \|\n\| --- \| --- \|\n((?:\|.*\n)+)/m);
    assert.deepEqual(found(table, /^\| `([a-z-]+)` \| ./gm), inTypes);
    assert.equal(table.trim().split("\n").length, inTypes.length);
  });

  test("have those of the module among them", () => {
    const onlyInGo = ["late", "no-source"]; // of what the module does not export
    const inGo = found(read("webm/error.go") + read("webm/chunks.go"), /\tCode\w+ +Code = "([a-z-]+)"/g);
    assert.ok(inGo.length > 20);
    assert.deepEqual(inGo.filter((code) => !inTypes.includes(code)), onlyInGo);
  });
});

describe("the version of the module's calls", () => {
  test("is the same number in Go and in JavaScript", () => {
    const [inGo] = found(read("wasm/reactor.go"), /^const version = (\d+)$/gm);
    const [inScript] = found(read("js/src/engine/module.ts"), /^const version = (\d+);$/gm);
    assert.ok(inGo > 0);
    assert.equal(inGo, inScript);
  });
});
