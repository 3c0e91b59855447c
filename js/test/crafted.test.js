// Streams that are made to cost much: to be pushed again every few bytes, or to have a lot
// of clusters in one chunk.

import { counted } from "./counted.js";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Recording, repair } from "../dist/index.js";
import { inspect } from "../dist/inspect.js";
import { cli, folder, write } from "./cli.js";

/** An element of up to 127 bytes of data. */
function element(id, ...data) {
  const bytes = Buffer.concat(data.map((d) => Buffer.from(d)));
  return Buffer.concat([Buffer.from(id, "hex"), Buffer.of(0x80 | bytes.length), bytes]);
}

const unknown = (id, ...data) => Buffer.concat([Buffer.from(id, "hex"), Buffer.of(0xff), ...data]);
const track = (number, type, codec) => element("ae", element("d7", [number]), element("83", [type]), element("86", codec));
const cluster = (timestamp, ...blocks) => unknown("1f43b675", element("e7", [timestamp >> 16, timestamp >> 8, timestamp]), ...blocks);
const block = (track, relative, flags, payload = "") => element("a3", [0x80 | track, relative >> 8, relative, flags], payload);
const stream = (...tracks) => Buffer.concat([element("1a45dfa3", element("4282", "webm")), unknown("18538067", element("1654ae6b", ...tracks))]);

const vp8 = track(1, 1, "V_VP8");
const opus = track(2, 2, "A_OPUS");
const key = block(1, 0, 0x80, "frame");
const size = 128 << 10;

/** What a stream begins with, and what follows as often as there is room. */
const shapes = {
  "a clock that jumps at each block": [stream(vp8), (i) => {
    const b = block(1, ((i % 7) * 1000 * (1 + (i % 3))) & 0xffff, 0x80);
    return i % 7 === 0 ? cluster(i * 1000, b) : b;
  }],
  "Clusters with damage in between": [stream(vp8, opus), () => Buffer.concat([cluster(0, block(1, 0, 0), block(1, 0, 0)), Buffer.of(0)])],
  "blocks that go back in time": [stream(vp8, opus), () => cluster(9, block(2, 9, 0), block(2, 0, 0))],
  "blocks that claim what follows them": [stream(vp8), (i) => {
    const broken = block(1, 2, 0, "frame");
    broken[1] += i % 30;
    return cluster(i * 3, key, block(1, 1, 0), broken);
  }],
};

function made([begin, next]) {
  const parts = [begin];
  for (let i = 0, length = begin.length; length < size; i++) {
    parts.push(next(i));
    length += parts.at(-1).length;
  }
  return Buffer.concat(parts);
}

/** How often all of a stream is pushed. */
async function times(bytes, job) {
  counted.pushed = 0;
  await job();
  return counted.pushed / bytes.length;
}

/** What the module asks for in sum is 4 times the stream at most; each time, a bit more than that is pushed. */
const most = 8;

describe("how often a stream is pushed that is made to be pushed again", () => {
  for (const [name, shape] of Object.entries(shapes)) {
    const bytes = made(shape);

    test(`of ${name}, in one chunk or in many`, async () => {
      for (const length of [bytes.length, 5000]) {
        const n = await times(bytes, async () => {
          const recording = new Recording();
          for (let at = 0; at < bytes.length; at += length) await recording.pushChunk(bytes.subarray(at, at + length));
          assert.equal((await recording.finish()).bytes, bytes.length);
        });
        assert.ok(n >= 1 && n <= most, `${n.toFixed(1)} times, in chunks of ${length}`);
      }
    });

    test(`of ${name}, when a file of it is repaired or inspected`, async () => {
      const repaired = await times(bytes, () => repair(new Blob([bytes])));
      assert.ok(repaired >= 1 && repaired <= most, `repair: ${repaired.toFixed(1)} times`);
      const inspected = await times(bytes, () => inspect(new Blob([bytes]), { wasm: readFileSync(new URL("../dist/webmend.wasm", import.meta.url)) }));
      assert.ok(inspected >= 1 && inspected <= most, `inspect: ${inspected.toFixed(1)} times`);
    });

    test(`of ${name}, by the command line, which reads no more of the file`, () => {
      const file = write("crafted.webm", bytes);
      const { stderr } = spawnSync(process.execPath, ["--import", new URL("counted.js", import.meta.url).href, cli, "clusters", file, "-o", "out"], { cwd: folder, maxBuffer: 1 << 28 });
      const { pushed, read } = JSON.parse(stderr.toString().split("\n").at(-1));
      assert.ok(pushed >= bytes.length && pushed <= most * bytes.length, `${(pushed / bytes.length).toFixed(1)} times`);
      assert.ok(read <= (most + 1) * bytes.length, `${(read / bytes.length).toFixed(1)} times read`);
    });
  }
});

test("a chunk may have more clusters than a call can have arguments", () => {
  const count = 16000; // more than with a stack so small
  const file = write("clusters.webm", stream(vp8), ...Array.from({ length: count }, (_, i) => cluster(i * 20, block(1, 0, 0x80))));
  const script = `
    import { readFileSync } from "node:fs";
    import { Recording } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url))};
    for (const keep of [true, false]) {
      const recording = new Recording({ keep });
      await recording.pushChunk(readFileSync(${JSON.stringify(file)}));
      await recording.finish();
      console.log(recording.takeClusters().length);
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--stack-size=100", "--input-type=module", "-e", script], { cwd: folder });
  assert.equal(stdout.toString(), `${count}\n${count}\n`, stderr.toString());
});
