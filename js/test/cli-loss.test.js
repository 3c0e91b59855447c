// What the command line says of recordings that are damaged, cut short or only odd, and
// its exit status.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { check, chunkFiles, folder, packets, recording, testdata, webmend, write } from "./cli.js";

const whole = (bytes) => `Every byte of ${bytes} belongs to a whole element.`;

describe("a recording that is odd, but whole", () => {
  // How many packets each has, and what check says between its first line and its last.
  const cases = {
    "camera-joins-later": { video: 29, audio: 50 },
    "clip-b-frames": { video: 60, audio: 0 },
    "clusters-in-decode-order": { video: 30, audio: 0 },
    "cut-at-cluster": { video: 0, audio: 48, status: 1, says: [/^Missing 1: Segment at 36 is cut short by the end of the stream: 1316 bytes are missing at the end of the Segment$/] },
    "first-byte-lost": { video: 29, audio: 50, status: 1, says: [/^Missing 1: .*first byte/] },
    "last-lace-is-shorter": { video: 0, audio: 34 }, // laces are several packets to ffprobe
    "nested-clusters": { video: 29, audio: 50 },
    "same-head-not-same-frame": { video: 5, audio: 0 },
    "stalled-recorder": {
      video: 74,
      audio: 93,
      says: ["Gap 1: no sound and no picture from 1.499 s to 3.506 s (tracks 1 and 2): nothing is left out. The recorder stood still, or the source was muted."],
    },
    "tracks-after-clusters": { video: 0, audio: 10 },
  };

  test("each of them is tested", () => {
    const files = readdirSync(join(testdata, "cases")).filter((f) => f.endsWith(".webm")).map((f) => f.slice(0, -5));
    assert.deepEqual(files.sort(), Object.keys(cases).sort());
  });

  for (const [name, { status = 0, says = [], ...counts }] of Object.entries(cases)) {
    const file = join(testdata, "cases", `${name}.webm`);
    test(`${name}: nothing that is there is left out, and the exit status is ${status}`, () => {
      const checked = check(file);
      assert.deepEqual([checked.status, checked.stderr], [status, ""]);
      const lines = checked.lines.slice(1, -1);
      assert.equal(lines.length, says.length, lines.join("\n"));
      says.forEach((text, i) => (text instanceof RegExp ? assert.match(lines[i], text) : assert.equal(lines[i], text)));
      assert.match(checked.lines.at(-1), status === 0 ? /^Every byte of \d+ belongs to a whole element\.$/ : /^None of the \d+ bytes is left out\.$/);

      for (const command of ["seekable", "clip", "join"]) {
        const made = webmend([command, file, "-o", "case.webm"]);
        assert.equal(made.status, status, command);
        assert.equal(made.stderr === "", status === 0, made.stderr);
        assert.deepEqual(packets("case.webm"), counts, command);
      }
    });
  }

  test("a clip of a second in which there is only sound has that", () => {
    const { status, stdout } = webmend(["clip", "--start", "0.5", "--end", "1.5", join(testdata, "cases/camera-joins-later.webm"), "-o", "sound.webm"]);
    assert.deepEqual([status, stdout.toString()], [0, "0.475 1.556\n"]);
    assert.equal(packets("sound.webm").audio, 18);
  });
});

describe("several recordings in one input", () => {
  // A block of the second one is across byte 1,048,576, which is read in two pieces.
  const parts = ["firefox-06-vp8only-ts100", "chromium-noalpha-03-vp8opus-ts250"];
  before(() => write("two.webm", ...parts.map(recording)));

  test("the first is taken, and a line says how to take the other", () => {
    write("first.webm", recording(parts[0]));
    for (const command of ["seekable", "clip", "clusters"]) {
      const { status, stderr } = webmend([command, "two.webm", "-o", "out.webm"]);
      assert.deepEqual([status, stderr], [0, "webmend: the input has another recording: --recording 2 takes it\n"]);
      if (command !== "clusters") assert.deepEqual(packets("out.webm"), packets("first.webm"));
    }
    const { status, lines } = check("two.webm");
    assert.deepEqual([status, lines.length, lines.at(-1)], [0, 3, whole(recording(parts[0]).length + recording(parts[1]).length)]);
  });

  test("the second is taken if it is asked for", () => {
    write("second.webm", recording(parts[1]));
    const { status, stderr } = webmend(["seekable", "--recording", "2", "two.webm", "-o", "out.webm"]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.deepEqual(packets("out.webm"), packets("second.webm"));
  });

  test("a line says how many more there are", () => {
    write("three.webm", ...parts.map(recording), recording(parts[0]));
    const { stderr } = webmend(["seekable", "three.webm", "-o", "out.webm"]);
    assert.equal(stderr, "webmend: the input has 2 other recordings: --recording 2 to --recording 3 take them\n");
  });

  test("join takes all of each file", () => {
    const bytes = recording("chromium-24-same-recorder-restart");
    const ends = [write("1.webm", bytes.subarray(0, 116178)), write("2.webm", bytes.subarray(116178))].map(packets);
    const both = { video: ends[0].video + ends[1].video, audio: ends[0].audio + ends[1].audio };
    write("both.webm", bytes);
    for (const times of [1, 2]) {
      const { status, stderr } = webmend(["join", ...Array(times).fill("both.webm"), "-o", "joined.webm"]);
      assert.deepEqual([status, stderr], [0, ""]);
      assert.deepEqual(packets("joined.webm"), { video: times * both.video, audio: times * both.audio });
    }
  });
});

describe("check", () => {
  test("of a whole recording has exit status 0", () => {
    assert.deepEqual(check(...chunkFiles("chromium-24-same-recorder-restart")), {
      status: 0,
      lines: ['Recording 1: video/webm; codecs="vp8,opus", 3.019 s in 6 clusters', 'Recording 2: video/webm; codecs="vp8,opus", 3.036 s in 6 clusters', whole(230571)],
      stderr: "",
    });
  });

  test("of a gap where one file ends and the next begins says that a chunk may have been lost, which is no loss that is proven", () => {
    const files = chunkFiles("chromium-noalpha-03-vp8opus-ts250");
    files.splice(20, 1);
    const { status, lines, stderr } = check(...files);
    assert.deepEqual([status, stderr, lines.at(-1)], [0, "", whole(1378422)]);
    assert.equal(lines.length, 3);
    assert.match(lines[1], /^Gap 1: no sound and no picture from 6\.038 s to 6\.338 s \(tracks 1 and 2\): nothing is left out\. The recorder stood still, the source was muted, or a chunk was lost there \(.*-021\.chunk at \d+\)\. Numbered chunks \(pushChunk\(data, \{ sequence \}\)\) would tell\.$/);
    assert.doesNotMatch(lines.join(), /missing/i);
    const made = webmend(["seekable", ...files, "-o", "gap.webm"]);
    assert.deepEqual([made.status, made.stderr], [0, `webmend: ${lines[1].slice("Gap 1: ".length)}\n`]);
  });

  test("of one that has a chunk twice says how many blocks were pushed twice, which is no loss", () => {
    const files = chunkFiles("firefox-01-opus-ts50");
    const { status, lines } = check(...files.toSpliced(5, 0, files[5]));
    assert.equal(status, 0);
    assert.match(lines[1], /^Recording 1: (1 block was|\d+ blocks were) pushed twice; one copy is kept\.$/);
  });

  test("of one that lost a chunk in a cluster's head says what was left out, and of what", () => {
    const files = chunkFiles("chromium-noalpha-03-vp8opus-ts250");
    files.splice(12, 1); // begins in the ID of a Cluster
    const { status, lines } = check(...files);
    assert.equal(status, 1);
    assert.match(lines[1], /^Left out 1: \d+ bytes at \d+ \(.*\.chunk at \d+\), from \d\.\d{3} s to \d\.\d{3} s: Cluster at /);
    assert.match(lines.at(-1), /^\d+ of \d+ bytes are left out\.$/);
  });

  test("of one that is cut short has exit status 1, and with --json the report", () => {
    write("short", recording("firefox-08-pause-vp8opus-ts500").subarray(0, 300000));
    const { status, stdout } = webmend(["check", "--json", "short"]);
    assert.equal(status, 1);
    const report = JSON.parse(stdout);
    assert.equal(report.dropped[0].reason.code, "truncated");
    assert.equal(report.dropped[0].end, 300000);
    assert.deepEqual([report.problems, report.exchanged], [[], []]);
  });

  test("of a damaged DocType says that it is repaired", () => {
    const bytes = Buffer.from(recording("firefox-08-pause-vp8opus-ts500"));
    bytes.write("wEbm", bytes.indexOf("webm"));
    write("doctype", bytes);
    const { status, lines } = check("doctype");
    assert.deepEqual([status, lines[1]], [1, 'Repaired 1: EBML at 0: DocType at 28 is "wEbm", not webm or matroska']);
  });

  test("of what is no recording has exit status 2", () => {
    write("text", "no recording at all");
    assert.deepEqual(check("text"), { status: 2, lines: [], stderr: "webmend: the stream begins with 6E 6F 20 72 and not with an EBML header (1A 45 DF A3)\n" });
    assert.equal(check("no such file").status, 2);
    assert.equal(check().status, 2);
  });
});

describe("check says what info says", () => {
  const change = (name, offset, value) => {
    const bytes = Buffer.from(recording(name));
    bytes[offset] = value;
    return bytes;
  };
  const append = (hex) => Buffer.concat([recording("firefox-08-pause-vp8opus-ts500"), Buffer.from(hex, "hex")]);
  const cases = {
    "of a SeekHead": [() => change("chromium-07-vp8opus-nots", 58, 0x8f), "Seek at 53: SeekID at 56 runs past the end of its parent"],
    "of Cues": [() => change("chromium-07-vp8opus-nots", 606706, 0x8f), "CuePoint at 606703: CueTime at 606705 runs past the end of its parent"],
    "of BlockAdditions": [() => change("chromium-13b-alpha-vp9", 3929, 0x47), "BlockMore at 3922: BlockAdditional at 3928 runs past the end of its parent"],
    "of Tags": [() => append("1254c3678773738463c08f00"), "Tag at 717094: Targets at 717097 runs past the end of its parent"],
    "of Chapters": [() => append("1043a7708745b98445bc8f00"), "EditionEntry at 717094: EditionUID at 717097 runs past the end of its parent"],
  };
  for (const [what, [make, message]] of Object.entries(cases)) {
    test(`${what} that are damaged, though nothing is left out`, () => {
      const bytes = make();
      write("problem", bytes);
      const { status, lines, stderr } = check("problem");
      assert.deepEqual([status, lines.slice(1), stderr], [1, [`Problem 1: ${message}`, `None of the ${bytes.length} bytes is left out.`], ""]);
      assert.equal(webmend(["info", "problem"]).stderr, `webmend: ${message}\n`);
      const { problems } = JSON.parse(webmend(["check", "--json", "problem"]).stdout);
      assert.deepEqual(problems.map((p) => [p.code, p.message]), [["overrun", `webm: ${message}`]]);
      assert.equal(webmend(["seekable", "problem", "-o", "mended.webm"]).status, 0);
    });
  }
});

describe("of a stream that is cut short", () => {
  before(() => write("cut.webm", recording("chromium-08-pause-vp8opus-ts500").subarray(0, 60000)));

  test("clusters has every whole block, and says what was left out", () => {
    const { status, stderr } = webmend(["clusters", "cut.webm", "-o", "cut-clusters.webm"]);
    assert.equal(status, 1);
    const clusters = readFileSync(join(folder, "cut-clusters.webm"));
    const end = 208 + clusters.length;
    assert.ok(clusters.equals(recording("chromium-08-pause-vp8opus-ts500").subarray(208, end)));
    assert.match(stderr, new RegExp(`^webmend: Cluster at 32779: \\w+ at ${end} is cut short by the end of the stream: left out ${60000 - end} bytes at ${end}, from 1\\.\\d{3} s to the end\n$`));
  });

  test("every file has every whole block, and the exit status is 1", () => {
    const duration = (name) => JSON.parse(webmend(["info", "--json", name]).stdout).recordings[0].duration;
    for (const command of ["seekable", "clip", "join"]) {
      const { status, stderr } = webmend([command, "cut.webm", "-o", "cut-made.webm"]);
      assert.equal(status, 1, command);
      assert.match(stderr, /is cut short by the end of the stream: left out \d+ bytes/);
      assert.equal(duration("cut-made.webm"), duration("cut.webm"));
    }
    assert.equal(check("cut.webm").status, 1);
  });
});

describe("a damaged stream", () => {
  test("has its clusters without what is damaged, and a line that says so", () => {
    const name = "firefox-08-pause-vp8opus-ts500";
    const files = chunkFiles(name);
    write(files[5], Buffer.alloc(1000));
    const { status, stderr } = webmend(["clusters", ...files, "-o", "damaged.webm"]);
    assert.equal(status, 1);
    const line = /^webmend: .* at \d+ .*\((.*) at 0\): left out (\d+) bytes at (\d+) \(\1 at 0\), from 2\.\d{3} s to 4\.006 s\n$/;
    assert.match(stderr, line);
    const [, file, lost, from] = stderr.match(line);
    assert.equal(file, files[5]);
    const damaged = Buffer.concat(files.map((f) => readFileSync(join(folder, f))));
    const rest = damaged.subarray(Number(from) + Number(lost));
    assert.ok(readFileSync(join(folder, "damaged.webm")).equals(Buffer.concat([damaged.subarray(313, Number(from)), rest])));
    assert.ok(recording(name).includes(rest), "what follows is as recorded");
  });

  test("has video that needs what is lost left out, or kept on request, and the exit status is 1", () => {
    const bytes = Buffer.from(recording("firefox-08-pause-vp8opus-ts500")).fill(0, 300000, 301000);
    write("zeros.webm", bytes);
    const made = webmend(["seekable", "zeros.webm", "-o", "left.webm"]);
    const kept = webmend(["seekable", "--keep-undecodable", "zeros.webm", "-o", "kept.webm"]);
    assert.deepEqual([made.status, kept.status], [1, 1]);
    assert.match(made.stderr, /\nwebmend: 41 frames from 4\.012 s to 6\.228 s \(track 1\) need frames that are lost: left out\n$/);
    assert.match(kept.stderr, /\nwebmend: 41 frames from 4\.012 s to 6\.228 s \(track 1\) need frames that are lost: kept\n$/);
    assert.equal(packets("kept.webm").video, packets("left.webm").video + 41);
    const { lines } = check("zeros.webm");
    assert.match(lines[2], /^Undecodable 1: 41 frames from 4\.012 s to 6\.228 s \(track 1\) need frames that are lost$/);
  });

  test("with an element that claims 2^56-2 bytes keeps what comes before it", () => {
    const bytes = recording("chromium-23b-stop-at-60ms");
    write("claim", bytes, Buffer.from("a301fffffffffffffe8100", "hex"));
    const { status, stderr } = webmend(["clusters", "claim", "-o", "claimed"]);
    assert.equal(status, 1);
    assert.match(stderr, /^webmend: Cluster at 207: SimpleBlock at 3213 makes the Cluster larger than MaxClusterSize: left out 11 bytes at 3213, from 0\.\d{3} s to the end\n$/);
    assert.ok(readFileSync(join(folder, "claimed")).equals(bytes.subarray(207)));
  });
});

describe("chunks in the wrong order", () => {
  const name = "chromium-noalpha-03-vp8opus-ts250";
  const swap = (files, i) => files.toSpliced(i, 2, files[i + 1], files[i]);

  test("are exchanged where damage at both of their ends proves it, and the exit status is 1", () => {
    const files = chunkFiles(name); // the twelfth boundary is in the ID of a Cluster
    webmend(["seekable", ...files, "-o", "in-order.webm"]);
    for (const i of [0, 11]) {
      const { status, stderr } = webmend(["seekable", ...swap(files, i), "-o", "exchanged.webm"]);
      assert.deepEqual([status, stderr], [1, `webmend: ${files[i + 1]} and ${files[i]} were in the wrong order: exchanged\n`]);
      assert.ok(readFileSync(join(folder, "exchanged.webm")).equals(readFileSync(join(folder, "in-order.webm"))));
    }
    const { status, stdout } = webmend(["check", "--json", ...swap(files, 11)]);
    assert.equal(status, 1);
    const { dropped, exchanged } = JSON.parse(stdout);
    assert.deepEqual([dropped, exchanged], [[], [[files[12], files[11]]]]);
  });

  test("stay where nothing is damaged, as one byte into a block any chunk fits", () => {
    const files = chunkFiles(name);
    const { status, stderr } = check(...swap(files, 20));
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test("are never suspected where a chunk is lost", () => {
    for (const name of ["chromium-13b-alpha-vp9", "chromium-24-same-recorder-restart"]) {
      const files = chunkFiles(name);
      for (let i = 1; i < files.length; i++) {
        const { stdout } = webmend(["check", "--json", ...files.toSpliced(i, 1)]);
        assert.deepEqual(JSON.parse(stdout).exchanged, [], `${name} without chunk ${i}`);
      }
    }
  });
});

describe("a recording whose first chunks are lost", () => {
  const name = "chromium-08-pause-vp8opus-ts500";
  let files;
  before(() => {
    files = chunkFiles(name);
    webmend(["header", ...files, "-o", "stored-header.webm"]);
  });

  test("has no header without --header, and says so", () => {
    const { status, stderr } = webmend(["seekable", ...files.slice(4), "-o", "headless.webm"]);
    assert.equal(status, 1);
    assert.match(stderr, /^webmend: Cluster at \d+ has no header before it: .*\n$/);
  });

  test("is joined after a stored header, at the next cluster", () => {
    const { status, stderr } = webmend(["seekable", "--header", "stored-header.webm", ...files.slice(4), "-o", "joined.webm"]);
    assert.deepEqual([status, stderr], [1, "webmend: 53 frames from 2.195 s to 4.313 s (track 1) need frames that are lost: left out\n"]);
    assert.equal(spawnSync("ffmpeg", ["-v", "error", "-i", join(folder, "joined.webm"), "-f", "null", "-"], { encoding: "utf8" }).stderr, "");
    const left = packets("joined.webm");
    webmend(["seekable", "--keep-undecodable", "--header", "stored-header.webm", ...files.slice(4), "-o", "kept.webm"]);
    assert.deepEqual(packets("kept.webm"), { audio: left.audio, video: left.video + 53 });
  });

  test("has clusters that play after that header", () => {
    const { status, stderr } = webmend(["clusters", "--header", "stored-header.webm", ...files.slice(4), "-o", "late.webm"]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.ok(recording(name).includes(readFileSync(join(folder, "late.webm"))));
  });

  test("needs no stored header if its own is there", () => {
    webmend(["seekable", ...files, "-o", "own.webm"]);
    const { status, stderr } = webmend(["seekable", "--header", "stored-header.webm", ...files, "-o", "both.webm"]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.ok(readFileSync(join(folder, "both.webm")).equals(readFileSync(join(folder, "own.webm"))));
  });
});
