// The package as npm packs it, installed into an empty project.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";

const js = new URL("..", import.meta.url).pathname;
const recorded = new URL("../../webm/testdata/firefox-24-same-recorder-restart.webm", import.meta.url).pathname;

const project = mkdtempSync(join(tmpdir(), "webmend-"));
after(() => rmSync(project, { recursive: true }));

function run(program, ...args) {
  return execFileSync(program, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** What a module says that a script of the project prints as JSON. */
function script(text, ...flags) {
  writeFileSync(join(project, "script.mjs"), text);
  return JSON.parse(run("node", ...flags, "script.mjs"));
}

before(() => {
  const [{ filename }] = JSON.parse(run("npm", "pack", js, "--ignore-scripts", "--json", "--pack-destination", project));
  run("npm", "init", "--yes");
  run("npm", "install", "--offline", "--no-audit", "--no-fund", join(project, filename));
});

describe("the package", () => {
  const installed = join(project, "node_modules", "webmend");
  const declarations = () => readdirSync(join(installed, "dist"), { recursive: true }).filter((n) => n.endsWith(".d.ts"));
  const read = (name) => readFileSync(join(installed, name), "utf8");

  test("has what package.json lists, a README and a licence, and needs nothing else", () => {
    const { files, dependencies, optionalDependencies, peerDependencies } = JSON.parse(read("package.json"));
    const all = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
    const names = all.map((f) => join(f.parentPath.slice(installed.length + 1), f.name)).sort();
    assert.deepEqual(names, [...files, "LICENSE", "README.md", "package.json"].sort());
    assert.deepEqual([dependencies, optionalDependencies, peerDependencies], [undefined, undefined, undefined]);
    assert.deepEqual(readdirSync(join(project, "node_modules")).filter((n) => !n.startsWith(".")), ["webmend"]);
  });

  test("has the declarations that its entries need, and no other", () => {
    const reached = new Set(["index.d.ts", "inline.d.ts", "inspect.d.ts"]);
    for (const name of reached) {
      for (const [, other] of read(`dist/${name}`).matchAll(/from "(\.[^"]+)\.js"/g)) reached.add(join(dirname(name), `${other}.d.ts`));
    }
    assert.deepEqual([...reached].sort(), declarations().sort());
  });

  test("says what each name is that it exports, and each option", () => {
    for (const name of declarations()) {
      const text = read(`dist/${name}`);
      const documented = new Set([...text.matchAll(/\*\/\nexport (?:declare )?\w+ (\w+)/g)].map((m) => m[1]));
      for (const [, exported] of text.matchAll(/^export (?:declare )?(?:class|function|interface|type|const) (\w+)/gm)) {
        assert.ok(documented.has(exported), `${exported} in ${name}`);
      }
      for (const [, options, body] of text.matchAll(/^export interface (\w+Options)\b[^{]*\{\n(.*?)^\}/gms)) {
        const said = body.match(/\*\/\n    \w+/g) ?? [];
        const all = body.match(/^    \w+/gm) ?? [];
        assert.equal(said.length, all.length, `${options} in ${name}`);
      }
    }
  });

  for (const entry of ["webmend", "webmend/inline"]) {
    test(`splits what was recorded: ${entry}`, () => {
      const said = script(`
        import { readFileSync } from "node:fs";
        import { Recording } from "${entry}";
        const recording = new Recording();
        recording.pushChunk(readFileSync(${JSON.stringify(recorded)}));
        const report = await recording.finish();
        console.log(JSON.stringify({ clusters: report.recordings.map((r) => r.clusters), seekable: (await recording.seekable()).size }));
      `);
      assert.deepEqual(said.clusters, [3, 3]);
      assert.ok(said.seekable > 10000);
    });
  }

  test("lists the elements of what was recorded: webmend/inspect", () => {
    const said = script(`
      import { readFileSync } from "node:fs";
      import { inspect } from "webmend/inspect";
      const names = [];
      const { elements } = await inspect(new Blob([readFileSync(${JSON.stringify(recorded)})]), {
        onElements: (some) => names.push(...some.map((element) => element.name)),
      });
      console.log(JSON.stringify({ elements, names }));
    `);
    assert.equal(said.names.length, said.elements);
    assert.deepEqual([said.names[0], said.names.filter((name) => name === "Cluster").length], ["EBML", 6]);
  });

  for (const name of ["webmend.wasm", "webmend.lines.wasm"]) {
    test(`has a module that works: ${name}`, () => {
      const said = script(`
        import { readFileSync } from "node:fs";
        import { init, Recording } from "webmend";
        await init({ wasm: new URL(import.meta.resolve("webmend/${name}")) });
        const recording = new Recording();
        recording.pushChunk(readFileSync(${JSON.stringify(recorded)}));
        console.log(JSON.stringify((await recording.finish()).recordings.map((r) => r.clusters)));
      `);
      assert.deepEqual(said, [3, 3]);
    });
  }

  test("has the same names in both entries", () => {
    const [one, two] = script(`
      import * as webmend from "webmend";
      import * as inline from "webmend/inline";
      console.log(JSON.stringify([Object.keys(webmend), Object.keys(inline)]));
    `);
    assert.deepEqual(one, two);
    assert.deepEqual(one, ["Cluster", "Header", "Recording", "Replay", "WebmendError", "clip", "init", "isSupported", "join", "repair"]);
  });

  // A context of its own has what the language has, and nothing of Node or a page.
  for (const name of ["index.js", "inline.js", "inspect.js"]) {
    test(`touches nothing when it is imported: ${name}`, () => {
      const { names, supported } = script(
        `
        import { readFileSync } from "node:fs";
        import vm from "node:vm";
        const module = new vm.SourceTextModule(readFileSync(${JSON.stringify(join(installed, "dist", name))}, "utf8"), { context: vm.createContext() });
        await module.link(() => { throw new Error("it imports something"); });
        await module.evaluate();
        console.log(JSON.stringify({ names: Object.keys(module.namespace), supported: module.namespace.isSupported?.() }));
        `,
        "--experimental-vm-modules",
        "--no-warnings",
      );
      assert.ok(names.includes("WebmendError"));
      assert.ok(!supported);
    });
  }

  test("has the command line", () => {
    const { version } = JSON.parse(read("package.json"));
    assert.equal(run("node_modules/.bin/webmend", "--version"), `${version}\n`);
    run("node_modules/.bin/webmend", "seekable", recorded, "-o", "seekable.webm");
    assert.match(run("node_modules/.bin/webmend", "check", "seekable.webm"), /Recording 1: video\/webm; codecs="vp8,opus", \d\.\d+ s in 3 clusters\n/);
  });
});
