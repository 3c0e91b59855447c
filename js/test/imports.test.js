// The modules of js/src, by what they import, types included.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";

const src = new URL("../src", import.meta.url).pathname;

/** The folders, each of which may import from itself and those after it. "." is what users touch. */
const floors = ["cli", ".", "media", "engine", "base"];

/** What each module imports. */
const imports = new Map();
for (const name of readdirSync(src, { recursive: true }).filter((n) => n.endsWith(".ts"))) {
  const text = readFileSync(join(src, name), "utf8");
  const found = [...text.matchAll(/(?:\bfrom |\bimport ?\(?)"(\.[^"]+)\.js"/g)];
  imports.set(name, found.map(([, path]) => join(dirname(name), `${path}.ts`)));
}

/** The first way that comes back to where it has been, of all that begin with these modules; or undefined. */
function circle(way, done = new Set()) {
  const last = way.at(-1);
  if (way.indexOf(last) < way.length - 1) return way.slice(way.indexOf(last));
  if (done.has(last)) return;
  for (const next of imports.get(last)) {
    const found = circle([...way, next], done);
    if (found) return found;
  }
  done.add(last);
}

describe("the modules of js/src", () => {
  test("import only what is there", () => {
    assert.ok(imports.get("recording.ts").includes("upload.ts")); // by import()
    assert.ok(imports.get("attach.ts").includes("options.ts")); // by import type
    for (const [name, all] of imports) for (const other of all) assert.ok(imports.has(other), `${other}, by ${name}`);
  });

  test("import each other in no circle", () => {
    for (const name of imports.keys()) assert.equal(circle([name])?.join(" → "), undefined);
  });

  test("import nothing from a folder above their own", () => {
    const up = [];
    for (const [name, all] of imports) {
      for (const other of all) if (floors.indexOf(dirname(other)) < floors.indexOf(dirname(name))) up.push(`${name} → ${other}`);
    }
    assert.deepEqual(up, []);
    assert.deepEqual([...new Set([...imports.keys()].map(dirname))].sort(), [...floors].sort());
  });

  test("ask no instanceof of what can be another realm's", () => {
    for (const name of imports.keys()) {
      if (name.startsWith("cli/")) continue;
      assert.doesNotMatch(readFileSync(join(src, name), "utf8"), /instanceof (Blob|File|\w*Array|\w*ArrayBuffer|URL|Response|Module|WebAssembly|Header|Cluster)\b/, name);
    }
  });

  test("say in the first line what they own", () => {
    for (const name of imports.keys()) assert.match(readFileSync(join(src, name), "utf8"), /^\/\/ [A-Z].{10}/, name);
  });
});
