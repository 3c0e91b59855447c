// What pages that crashed, and computers that lost power, leave of recordings on disk. Each
// test throws what is wrong, and leaves nothing on disk.

import { Recording } from "/dist/index.js";
import { equal, nothingLeft, only, recorded, same, withOther } from "./spool.mjs";

/** Leaves on disk what a page that is gone could have: a file, or a record of the database. */
const plant = {
  async "as a file"(id, blob) {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("webmend-spool", { create: true });
    const file = await (await folder.getFileHandle(id, { create: true })).createWritable();
    await file.write(blob);
    await file.close();
  },

  async "in IndexedDB"(id, blob) {
    const request = indexedDB.open("webmend-spool");
    request.onupgradeneeded = () => request.result.createObjectStore("webmend-spool");
    await new Promise((resolve) => (request.onsuccess = resolve));
    const transaction = request.result.transaction("webmend-spool", "readwrite");
    transaction.objectStore("webmend-spool").put(blob, [id, 0]);
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    request.result.close();
  },
};

const facts = JSON.stringify({ begun: 86400000, name: "a name", type: "video/webm" }) + "\n";
const zeros = (count) => new Uint8Array(count);
const noWebM = zeros(600_000).fill(1);
const unknown = ["", ""];

/** What can be left: of which parts it is, how many of the first are no media, how many of the last are not, and what is known of it. */
const leftovers = {
  "whole": [[facts, recorded], 1, 0, ["a name", "video/webm"]],
  "with zeros for a line": [[zeros(60), recorded], 1, 0, unknown],
  "with zeros for all that is in front of the media": [[zeros(4096), recorded], 1, 0, unknown],
  "with a line that is cut short": [[facts.slice(0, 11), recorded], 1, 0, unknown],
  "with a line that breaks off": [['{"begun":\n', recorded], 1, 0, unknown],
  "without a line": [[recorded], 0, 0, unknown],
  "with null for a line": [["null\n", recorded], 1, 0, unknown],
  "with a number for a line": [["5\n", recorded], 1, 0, unknown],
  "with a list for a line": [["[1]\n", recorded], 1, 0, unknown],
  "with facts of other types": [['{"begun":"x","name":5,"type":{}}\n', recorded], 1, 0, unknown],
  "with a time that is none": [['{"begun":1e300,"name":"a name","type":"video/webm"}\n', recorded], 1, 0, ["a name", "video/webm"]],
  "with half of the facts": [['{"name":"a name"}\n', recorded], 1, 0, ["a name", ""]],
  "with a broken line before what is no WebM": [['{"beg\n', noWebM], 1, 0, unknown],
  "without a line before what is no WebM": [[noWebM], 0, 0, unknown],
  "with half a line and nothing else": [[facts.slice(0, 11)], 0, 0, unknown],
  "with a line of no facts and nothing else": [["{}\n"], 0, 0, unknown],
  "with zeros and nothing else": [[zeros(5000)], 0, 0, unknown],
  "with space that was never written": [[facts, recorded, zeros(63), zeros(9 << 20)], 1, 1, ["a name", "video/webm"]], // it ends in a zero of its own
  "with zeros and nothing else, and many": [[zeros(64), zeros(9 << 20)], 0, 1, unknown],
  "with a silent end": [[facts, recorded, zeros(200_000)], 1, 0, ["a name", "video/webm"]],
};

/** All kinds of leftovers are offered, each by itself. */
async function offersAll(where) {
  const ids = new Map(Object.keys(leftovers).map((what, i) => [`86400000-${i}`, what]));
  for (const [id, what] of ids) await plant[where](id, new Blob(leftovers[what][0]));
  const found = await Recording.recoverable();
  equal(found.map((left) => ids.get(left.id)).sort(), [...ids.values()].sort(), "what is left");
  for (const left of found) {
    const what = ids.get(left.id);
    const [parts, before, behind, known] = leftovers[what];
    equal([left.name, left.mimeType, Number(left.begun)], [...known, 86400000], `what is known of one ${what}`);
    const media = new Blob(parts.slice(before, parts.length - behind));
    equal(left.size, media.size, `the size of one ${what}`);
    await same(left.blob(), new Uint8Array(await media.arrayBuffer()), `one ${what}`);
    await left.delete();
  }
  await nothingLeft();
}

export const tests = {
  async "what a crash left before the first chunk is cleared away"() {
    const parts = { empty: [], line: [facts], space: [facts, zeros(9 << 20)] };
    for (const put of Object.values(plant)) {
      for (const [id, of] of Object.entries(parts)) await put(id, new Blob(of));
    }
    await nothingLeft();
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("webmend-spool");
    for await (const id of folder.keys()) throw new Error(`${id} is there still`);
  },

  "a file whose facts are broken is offered all the same, and hides no other": () => offersAll("as a file"),

  "so is a record of the database whose facts are broken": () => offersAll("in IndexedDB"),

  async "what has no time of its own was begun when it was written"() {
    const before = Date.now();
    await plant["as a file"]("another-id", new Blob([recorded]));
    const left = await only();
    if (!(left.begun >= before - 2000 && left.begun <= Date.now())) throw new Error(`it was begun at ${left.begun}`);
    await left.delete();
  },

  async "a file that cannot be read hides no other, and is offered if it can be later"() {
    const unreadable = zeros(77).fill(1);
    await plant["as a file"]("1-unreadable", new Blob([unreadable]));
    await plant["as a file"]("2-refused", new Blob([recorded]));
    await plant["as a file"]("3-good", new Blob([facts, recorded]));
    const { arrayBuffer } = Blob.prototype;
    const { getFile } = FileSystemFileHandle.prototype;
    const failing = function () {
      return this.size === 77 ? Promise.reject(new DOMException("not in this test", "NotReadableError")) : arrayBuffer.call(this);
    };
    const refusing = function () {
      return this.name === "2-refused" ? Promise.reject(new DOMException("not in this test", "NotReadableError")) : getFile.call(this);
    };
    const found = await withOther(Blob.prototype, "arrayBuffer", failing, () => withOther(FileSystemFileHandle.prototype, "getFile", refusing, () => Recording.recoverable()));
    equal(found.map((left) => [left.id, left.size]), [["1-unreadable", 77], ["3-good", recorded.length]], "what is left");
    await same(found[0].blob(), unreadable, "what can be read again");
    const again = await Recording.recoverable();
    equal(again.map((left) => left.id), ["1-unreadable", "2-refused", "3-good"], "what is left later");
    for (const left of again) await left.delete();
  },
};
