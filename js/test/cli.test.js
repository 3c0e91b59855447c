// The command line, as a person runs it, on real recordings.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { repair } from "../dist/index.js";
import { chunkFiles, cli, folder, recording, testdata, webmend } from "./cli.js";

describe("header and clusters", () => {
  const names = readdirSync(testdata).filter((f) => f.endsWith(".webm")).map((f) => f.slice(0, -5));
  for (const name of names) {
    const bytes = recording(name);
    if (bytes.length === 0) continue;
    test(`of ${name} in its chunks, with the elements between them, are the stream`, () => {
      const files = chunkFiles(name);
      const { report, parts } = everything(files);
      let at = 0;
      for (const { start, end } of [...parts, ...report.other].sort((a, b) => a.start - b.start)) {
        assert.equal(start, at);
        at = end;
      }
      assert.equal(at, bytes.length);
      for (let i = 0; i < report.recordings.length; i++) {
        const which = ["--recording", String(i + 1)];
        assert.equal(webmend(["header", ...which, ...files, "-o", "header.webm"]).status, 0);
        assert.equal(webmend(["clusters", ...which, ...files, "-o", "clusters.webm"]).status, 0);
        const got = Buffer.concat([readFileSync(join(folder, "header.webm")), readFileSync(join(folder, "clusters.webm"))]);
        const { header, clusters } = report.recordings[i];
        const want = [header, ...clusters].map(({ start, end }) => bytes.subarray(start, end));
        assert.ok(got.equals(Buffer.concat(want)));
      }
    });
  }

  function everything(files) {
    const { status, stdout } = webmend(["info", "--json", ...files]);
    assert.equal(status, 0);
    const report = JSON.parse(stdout);
    return { report, parts: report.recordings.flatMap((r) => [r.header, ...r.clusters]) };
  }

  test("of standard input go to standard output", () => {
    const bytes = recording("chromium-23b-stop-at-60ms");
    const header = webmend(["header", "-"], bytes);
    const clusters = webmend(["clusters", "-"], bytes);
    assert.deepEqual([header.status, header.stderr, clusters.status, clusters.stderr], [0, "", 0, ""]);
    assert.ok(Buffer.concat([header.stdout, clusters.stdout]).equals(bytes));
  });
});

describe("files to play", () => {
  const file = (name) => join(testdata, `${name}.webm`);
  const duration = (name) => JSON.parse(webmend(["info", "--json", name]).stdout).recordings[0].duration;

  test("seekable makes of the chunks what the package makes of them", async () => {
    for (const name of ["firefox-08-pause-vp8opus-ts500", "chromium-10a-requestdata"]) {
      const { status, stdout, stderr } = webmend(["seekable", ...chunkFiles(name), "-o", "seekable.webm"]);
      assert.deepEqual([status, stdout.toString(), stderr], [0, "", ""]);
      const { blob } = await repair(new Blob([recording(name)]));
      assert.ok(readFileSync(join(folder, "seekable.webm")).equals(Buffer.from(await blob.arrayBuffer())));
    }
  });

  test("seekable of a restarted recorder's stream takes the recording that is asked for", () => {
    const name = file("firefox-24-same-recorder-restart");
    assert.equal(webmend(["seekable", "--recording", "2", name, "-o", "second.webm"]).status, 0);
    assert.equal(duration("second.webm"), 3.002);
  });

  test("clip prints the times actually used", () => {
    const { status, stdout, stderr } = webmend(["clip", "--start", "5", "--end", "7", file("chromium-07-vp8opus-nots"), "-o", "clip.webm"]);
    assert.deepEqual([status, stderr], [0, ""]);
    const [, start, end] = stdout.toString().match(/^(\d+\.\d{3}) (\d+\.\d{3})\n$/).map(Number);
    assert.equal(start, 4.185);
    assert.equal(duration("clip.webm").toFixed(3), (end - start).toFixed(3));
  });

  test("clip to standard output prints them on standard error, and by default has all", () => {
    const { status, stdout, stderr } = webmend(["clip", "-"], recording("firefox-01-opus-ts50"));
    assert.equal(status, 0);
    assert.equal(stderr, "0.006 7.966\n");
    writeFileSync(join(folder, "all.webm"), stdout);
    assert.equal(duration("all.webm"), 7.96);
  });

  test("join makes one file of several recordings", () => {
    const names = ["chromium-10b-two-recordings", "chromium-10b-two-recordings-second"].map(file);
    const { status, stderr } = webmend(["join", ...names, "-o", "joined.webm"]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(duration("joined.webm").toFixed(3), (5.039 + 5.015).toFixed(3));
  });
});

describe("info", () => {
  test("shows an element a line, indented, with name, offset, size and value", () => {
    const { status, stdout } = webmend(["info", join(testdata, "chromium-23b-stop-at-60ms.webm")]);
    assert.equal(status, 0);
    const lines = stdout.toString().split("\n");
    assert.equal(lines[0], "EBML at 0, size 31");
    assert.ok(lines.includes('  DocType at 21, size 4: "webm"'));
    assert.ok(lines.includes("Segment at 36, size unknown"));
    assert.ok(lines.includes("    TimestampScale at 53, size 3: 1000000"));
    assert.ok(lines.includes("  Cluster at 207, size unknown"));
    assert.ok(lines.some((l) => /^ {6}Block at \d+, size \d+: track 1, timestamp 0 \(0\.000 s\)$/.test(l)));
    assert.ok(lines.some((l) => /^ {4}SimpleBlock at \d+, size \d+: track 2, timestamp 20 \(0\.020 s\), key frame$/.test(l)));
  });

  test("--hex shows the bytes of each head as they are in the file", () => {
    const bytes = recording("firefox-23-stop-immediately");
    const { status, stdout } = webmend(["info", "--hex", "-"], bytes);
    assert.equal(status, 0);
    for (const line of stdout.toString().trimEnd().split("\n")) {
      const [, id, size, offset] = line.match(/^([0-9a-f]+) ([0-9a-f]+) +\S+ at (\d+), size/);
      const head = Buffer.from(id + size, "hex");
      assert.ok(head.equals(bytes.subarray(Number(offset), Number(offset) + head.length)), line);
    }
  });

  test("--json gives recordings, tracks and clusters", () => {
    const { status, stdout } = webmend(["info", "--json", ...chunkFiles("chromium-24-same-recorder-restart")]);
    assert.equal(status, 0);
    const { bytes, recordings } = JSON.parse(stdout);
    assert.equal(bytes, 230571);
    assert.equal(recordings.length, 2);
    assert.deepEqual(recordings[1].header, { start: 116178, end: 116385 });
    assert.equal(recordings[1].mimeType, 'video/webm; codecs="vp8,opus"');
    assert.equal(recordings[1].duration, 3.036);
    assert.deepEqual(recordings[1].tracks.map((t) => [t.number, t.type, t.codecId, t.codec]), [[1, "video", "V_VP8", "vp8"], [2, "audio", "A_OPUS", "opus"]]);
    const cluster = recordings[1].clusters[0];
    assert.deepEqual([cluster.start, cluster.timestamp, cluster.sizeKnown, cluster.keyframes], [116385, 0, false, 1]);
    assert.deepEqual(Object.keys(cluster).toSorted(), [
      "beginsWithKeyFrame", "blocks", "cut", "duration", "end", "fragment", "keyframes", "sizeKnown", "start", "time", "timestamp", "tracks",
    ]);
  });
});

describe("what cannot be done", () => {
  const cases = [
    ["an empty file", ["header", "empty"], /^webmend: the stream is empty\n$/],
    ["an MP4 file", ["clusters", "mp4", "-o", "out"], /^webmend: the stream is MP4, not WebM: give MediaRecorder the mimeType video\/webm or audio\/webm\n$/],
    ["an MP4 file, listed", ["info", "mp4"], /^webmend: the stream is MP4, not WebM/],
    ["an Ogg file", ["header", "ogg"], /^webmend: the stream is Ogg, not WebM/],
    ["random bytes", ["info", "--json", "random"], /^webmend: the stream begins with 00 01 02 03 and not with an EBML header \(1A 45 DF A3\)\n$/],
    ["a header that is cut", ["header", "half"], /^webmend: TrackEntry at 83: TrackType at 98 is cut short by the end of the stream\n$/],
    ["a recording that is not there", ["header", "--recording", "3", "whole"], /^webmend: there is no recording 3: the input has 1\n$/],
    ["a file that is not there", ["info", "missing"], /^webmend: ENOENT: no such file or directory, open 'missing'\n$/],
    ["a folder", ["info", "."], /^webmend: \. is a folder\n$/],
    ["a clip that ends before it starts", ["clip", "--start", "2", "--end", "1", "whole", "-o", "out"], /^webmend: a clip must start before it ends/],
    ["a clip after the end", ["clip", "--start", "99", "whole", "-o", "out"], /^webmend: a clip must start before it ends, and before the recording ends\n$/],
    ["a time that is not a number", ["clip", "--start", "1m", "whole", "-o", "out"], /^webmend: --start must be a number of seconds, not 1m\n$/],
    ["a join of what does not fit", ["join", "whole", join(testdata, "chromium-05a-av1opus.webm"), "-o", "out"], /^webmend: track 1 of recording 2 is video \(V_AV1\), the first has V_VP8\n$/],
    ["a seekable file of a header alone", ["seekable", "headeronly", "-o", "out"], /^webmend: the recording has no cluster yet\n$/],
    ["no file", ["info"], /^webmend: info which file\?/],
    ["no such command", ["mend", "whole"], /^webmend: there is no command mend: see webmend --help\n$/],
    ["no such option", ["info", "--colour", "whole"], /^webmend: Unknown option '--colour'/],
    ["an output folder that is not there", ["header", "whole", "-o", "nowhere/out"], /^webmend: ENOENT: .*nowhere/],
  ];
  before(() => {
    const write = (name, bytes) => writeFileSync(join(folder, name), bytes);
    write("empty", "");
    write("mp4", "\0\0\0\x18ftypmp42\0\0\0\0mp42isom");
    write("ogg", "OggS\0\x02\0\0\0\0\0\0\0\0");
    write("random", Buffer.from(Array.from({ length: 100 }, (_, i) => i)));
    write("half", recording("chromium-23b-stop-at-60ms").subarray(0, 100));
    write("headeronly", recording("chromium-23b-stop-at-60ms").subarray(0, 207));
    write("whole", recording("chromium-23b-stop-at-60ms"));
  });
  for (const [what, args, line] of cases) {
    test(`${what}: one line, exit status 1, and nothing is left behind`, () => {
      const files = readdirSync(folder);
      const { status, stdout, stderr } = webmend(args);
      assert.deepEqual([status, stdout.toString()], [1, ""]);
      assert.match(stderr, line);
      assert.equal(stderr.split("\n").length, 2, "one line");
      assert.deepEqual(readdirSync(folder), files);
    });
  }

  test("a pipe whose reader leaves ends it in silence", async () => {
    const child = spawn(process.execPath, [cli, "info", join(testdata, "chromium-noalpha-03-vp8opus-ts250.webm")]);
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += text));
    child.stdout.once("data", () => child.stdout.destroy());
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.deepEqual([status, stderr], [0, ""]);
  });
});

test("--help shows every command, option and exit status, and --version the version", () => {
  const { status, stdout } = webmend(["--help"]);
  assert.equal(status, 0);
  for (const word of ["header", "clusters", "seekable", "clip", "join", "check", "info", "--output", "--start", "--end", "--recording", "--json", "--hex"]) assert.ok(stdout.includes(word), word);
  assert.match(stdout.toString(), /\nExit status:\n {2}0 [^]*\n {2}1 [^]*\n {2}2 /);
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url)));
  assert.equal(webmend(["--version"]).stdout.toString(), `${version}\n`);
});
