// The command line, as a person runs it, on real recordings.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { repair } from "../dist/index.js";

const cli = new URL("../dist/cli.js", import.meta.url).pathname;
const testdata = new URL("../../webm/testdata/", import.meta.url).pathname;
const recording = (name) => readFileSync(join(testdata, `${name}.webm`));

let folder;
before(() => (folder = mkdtempSync(join(tmpdir(), "webmend-test-"))));
after(() => rmSync(folder, { recursive: true }));

function webmend(args, input) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: folder, input, maxBuffer: 1 << 28 });
  return { status, stdout, stderr: stderr.toString() };
}

/** Writes a recording as the files that its blobs would be, and returns their names. */
function chunkFiles(name) {
  const bytes = recording(name);
  const { chunks } = JSON.parse(readFileSync(join(testdata, `${name}.json`)));
  let at = 0;
  return chunks.map((length, i) => {
    const file = `${name}-${String(i).padStart(3, "0")}.chunk`;
    writeFileSync(join(folder, file), bytes.subarray(at, (at += length)));
    return file;
  });
}

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

  test("of a stream that is cut short have every whole block, and it says what was left out", () => {
    const bytes = recording("chromium-08-pause-vp8opus-ts500");
    writeFileSync(join(folder, "cut.webm"), bytes.subarray(0, 60000));
    const { status, stderr } = webmend(["clusters", "cut.webm", "-o", "cut-clusters.webm"]);
    assert.equal(status, 0);
    const clusters = readFileSync(join(folder, "cut-clusters.webm"));
    const end = 208 + clusters.length;
    assert.ok(clusters.equals(bytes.subarray(208, end)));
    assert.match(stderr, new RegExp(`^webmend: Cluster at 32779: \\w+ at ${end} is cut short by the end of the stream: left out ${60000 - end} bytes from ${end} on\n$`));
  });

  test("of a damaged stream leave out what is damaged, say so, and the exit status is 1", () => {
    const name = "firefox-08-pause-vp8opus-ts500";
    const files = chunkFiles(name);
    writeFileSync(join(folder, files[5]), Buffer.alloc(1000));
    const { status, stderr } = webmend(["clusters", ...files, "-o", "damaged.webm"]);
    assert.equal(status, 1);
    const line = /^webmend: .* at \d+ .*\((.*) at 0\): left out (\d+) bytes from (\d+) on, 2\.\d{3} s to 4\.006 s\n$/;
    assert.match(stderr, line);
    const [, file, lost, from] = stderr.match(line);
    assert.equal(file, files[5]);
    const damaged = Buffer.concat(files.map((f) => readFileSync(join(folder, f))));
    const rest = damaged.subarray(Number(from) + Number(lost));
    assert.ok(readFileSync(join(folder, "damaged.webm")).equals(Buffer.concat([damaged.subarray(313, Number(from)), rest])));
    assert.ok(recording(name).includes(rest), "what follows is as recorded");
  });
});

describe("check", () => {
  const check = (args) => {
    const { status, stdout, stderr } = webmend(["check", ...args]);
    return { status, text: stdout.toString(), stderr };
  };

  test("of a whole recording has exit status 0", () => {
    assert.deepEqual(check(chunkFiles("chromium-24-same-recorder-restart")), {
      status: 0,
      text:
        'Recording 1: video/webm; codecs="vp8,opus", 3.019 s in 6 clusters\n' +
        'Recording 2: video/webm; codecs="vp8,opus", 3.036 s in 6 clusters\n' +
        "Every byte of 230571 belongs to a whole element.\n",
      stderr: "",
    });
  });

  test("of one without a chunk says what is missing, with exit status 1", () => {
    const files = chunkFiles("chromium-08-pause-vp8opus-ts500");
    files.splice(5, 1);
    const { status, text } = check(files);
    assert.equal(status, 1);
    assert.match(text, /^Missing 1: before \d+ \(.*-006\.chunk at \d+\): track 2 has no sound from 2\.660 s to 3\.260 s$/m);
    assert.match(text, /^Undecodable 1: \d+ frames from 2\.\d+ s to 2\.\d+ s \(track 2, .*\) have no certain time, as the head of their Cluster is lost$/m);
    assert.match(text, /^Undecodable 2: \d+ frames from 3\.\d+ s to 4\.313 s \(track 1, .*\) refer to lost ones$/m);
  });

  test("of one that lost a chunk between two blocks says so by its clock", () => {
    const files = chunkFiles("chromium-noalpha-03-vp8opus-ts250");
    files.splice(20, 1);
    const { status, text, stderr } = check(files);
    assert.deepEqual([status, stderr], [1, ""]);
    assert.match(text, /\nMissing 1: before \d+ \(.*-021\.chunk at \d+\): track 2 has no sound from 6\.038 s to 6\.338 s\nUndecodable 1: \d+ frames from 6\.\d+ s to \d\.\d+ s \(track 1, .*\) refer to lost ones\nEvery byte of 1378422 belongs to a whole element\.\n$/);
  });

  test("of one that has chunks twice says how many blocks come twice", () => {
    const files = chunkFiles("firefox-01-opus-ts50");
    const { status, text } = check(files.toSpliced(5, 0, files[5]));
    assert.equal(status, 1);
    assert.match(text, /^Repeated: \d+ blocks of recording 1 come twice$/m);
  });

  test("of one that is cut short has exit status 1, and with --json the report", () => {
    writeFileSync(join(folder, "short"), recording("firefox-08-pause-vp8opus-ts500").subarray(0, 300000));
    const { status, text } = check(["--json", "short"]);
    assert.equal(status, 1);
    const report = JSON.parse(text);
    assert.equal(report.dropped[0].reason.code, "truncated");
    assert.equal(report.dropped[0].end, 300000);
  });

  test("of what is no recording has exit status 2", () => {
    writeFileSync(join(folder, "text"), "no recording at all");
    assert.deepEqual(check(["text"]), { status: 2, text: "", stderr: "webmend: the stream begins with 6E 6F 20 72 and not with an EBML header (1A 45 DF A3)\n" });
    assert.equal(check(["no such file"]).status, 2);
  });
});

describe("a recording whose first chunks are lost", () => {
  const name = "chromium-08-pause-vp8opus-ts500";
  let files;
  before(() => {
    files = chunkFiles(name);
    webmend(["header", ...files, "-o", "stored-header.webm"]);
  });
  const frames = (file) => {
    const args = ["-v", "error", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets", "-of", "csv=p=0", join(folder, file)];
    return Object.fromEntries(execFileSync("ffprobe", args, { encoding: "utf8" }).trim().split("\n").map((line) => line.split(",")));
  };

  test("has no header without --header, and says so", () => {
    const { status, stderr } = webmend(["seekable", ...files.slice(4), "-o", "headless.webm"]);
    assert.equal(status, 1);
    assert.match(stderr, /^webmend: Cluster at \d+ has no header before it: the beginning of the recording is missing\n$/);
  });

  test("is joined after a stored header, at the next cluster", () => {
    const { status, stderr } = webmend(["seekable", "--header", "stored-header.webm", ...files.slice(4), "-o", "joined.webm"]);
    assert.equal(status, 0);
    assert.match(stderr, /^webmend: 53 frames from 2\.195 s to 4\.313 s \(track 1, .*\) refer to lost ones: left out\n$/);
    assert.equal(spawnSync("ffmpeg", ["-v", "error", "-i", join(folder, "joined.webm"), "-f", "null", "-"], { encoding: "utf8" }).stderr, "");
    const left = frames("joined.webm");
    webmend(["seekable", "--keep-undecodable", "--header", "stored-header.webm", ...files.slice(4), "-o", "kept.webm"]);
    const kept = frames("kept.webm");
    assert.deepEqual([kept.audio, Number(kept.video)], [left.audio, Number(left.video) + 53]);
  });

  test("has clusters that play after that header", () => {
    const { status } = webmend(["clusters", "--header", "stored-header.webm", ...files.slice(4), "-o", "late.webm"]);
    assert.equal(status, 0);
    assert.ok(recording(name).includes(readFileSync(join(folder, "late.webm"))));
  });

  test("needs no stored header if its own is there", () => {
    webmend(["seekable", ...files, "-o", "own.webm"]);
    const { status, stderr } = webmend(["seekable", "--header", "stored-header.webm", ...files, "-o", "both.webm"]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.ok(readFileSync(join(folder, "both.webm")).equals(readFileSync(join(folder, "own.webm"))));
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

  test("clip prints the real cut points", () => {
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

  test("of a stream that is cut short have every whole block, and it says what was left out", () => {
    writeFileSync(join(folder, "short.webm"), recording("chromium-08-pause-vp8opus-ts500").subarray(0, 60000));
    const { status, stderr } = webmend(["seekable", "short.webm", "-o", "short-seekable.webm"]);
    assert.equal(status, 0);
    assert.match(stderr, /is cut short by the end of the stream: left out \d+ bytes/);
    assert.equal(duration("short-seekable.webm"), duration("short.webm"));
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
    assert.deepEqual([cluster.start, cluster.timestamp, cluster.known, cluster.keyframes], [116385, 0, false, 1]);
    assert.deepEqual(Object.keys(cluster).toSorted(), [
      "beginsWithKeyFrame", "blocks", "cut", "duration", "end", "fragment", "keyframes", "known", "start", "time", "timestamp", "tracks",
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
    ["a recording that is not there", ["header", "--recording", "3", "whole"], /^webmend: there is no recording 3: the stream has 1\n$/],
    ["a file that is not there", ["info", "missing"], /^webmend: ENOENT: no such file or directory, open 'missing'\n$/],
    ["a folder", ["info", "."], /^webmend: \. is a folder\n$/],
    ["a clip that ends before it starts", ["clip", "--start", "2", "--end", "1", "whole", "-o", "out"], /^webmend: a clip must have its start before its end/],
    ["a clip after the end", ["clip", "--start", "99", "whole", "-o", "out"], /^webmend: a clip must have its start before its end, and before the recording's\n$/],
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

  test("an element that claims 2^56-2 bytes is damage, and what comes before it is kept", () => {
    const whole = recording("chromium-23b-stop-at-60ms");
    const claim = Buffer.from("a301fffffffffffffe8100", "hex");
    writeFileSync(join(folder, "claim"), Buffer.concat([whole, claim]));
    const { status, stderr } = webmend(["clusters", "claim", "-o", "claimed"]);
    assert.equal(status, 1);
    assert.match(stderr, /^webmend: Cluster at 207: SimpleBlock at 3213 makes the Cluster larger than MaxClusterSize: left out 11 bytes from 3213 on\n$/);
    assert.ok(readFileSync(join(folder, "claimed")).equals(whole.subarray(207)));
  });

  test("a pipe whose reader leaves ends it in silence", async () => {
    const child = spawn(process.execPath, [cli, "info", join(testdata, "chromium-noalpha-03-vp8opus-ts250.webm")]);
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += text));
    child.stdout.once("data", () => child.stdout.destroy());
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.deepEqual([status, stderr], [0, ""]);
  });
});

test("--help shows every command and option, and --version the version", () => {
  const { status, stdout } = webmend(["--help"]);
  assert.equal(status, 0);
  for (const word of ["header", "clusters", "seekable", "clip", "join", "check", "info", "--output", "--start", "--end", "--recording", "--json", "--hex"]) assert.ok(stdout.includes(word), word);
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url)));
  assert.equal(webmend(["--version"]).stdout.toString(), `${version}\n`);
});
