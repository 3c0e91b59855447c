// A recording's copy on disk, where what it relies on fails: at the start, in the middle, and
// for good. Nothing waits for ever, and every byte that was pushed is in the file that comes
// out. Each test throws what is wrong, and leaves nothing on disk.

import { Recording, repair, WebmendError } from "/dist/index.js";
import { chunks, codes, equal, nothingLeft, only, recorded, same, spooled, until, withOther, withoutFiles } from "./spool.mjs";

const wanted = new Uint8Array(await (await repair(new Blob([recorded]))).blob.arrayBuffer());

const { setTimeout: wait, clearTimeout: stopWaiting } = globalThis;
const { open: realOpen } = IDBFactory.prototype;
const { getDirectory: realDirectory } = navigator.storage;
/** How long each half of a deadline is, in milliseconds. */
const halfDeadline = 5000;
/** How long a script may take, which none of these tests keeps from coming. */
const scriptDeadline = 20_000;

/** Those that wait for a deadline, and the workers that hang. */
let held = [];
const hanging = new BroadcastChannel("webmend-test");
hanging.onmessage = () => wait(pass);

/** Has the time of deadlines pass, both halves. */
function pass(timers = held) {
  for (let timer of [...timers]) {
    while (timer) {
      held = held.filter((one) => one !== timer);
      const before = held.length;
      timer.over();
      timer = held[before];
    }
  }
}

/** Never answers, and the time passes for whoever waits for that. */
function hang() {
  const before = [...held];
  wait(() => {
    const waits = held.find((timer) => !before.includes(timer));
    pass(waits && [waits]);
  });
  return new Promise(() => {});
}

/** Does something while deadlines pass only if something hangs, and other pauses are short. */
async function withClock(act) {
  const later = (over, ms) => {
    if (ms === scriptDeadline) return wait(over, ms);
    if (ms !== halfDeadline) return wait(over, ms < 1000 ? ms : 20);
    held.push({ over });
    return held.at(-1);
  };
  const cancel = (timer) => {
    held = held.filter((one) => one !== timer);
    if (typeof timer === "number") stopWaiting(timer);
  };
  return withOther(globalThis, "setTimeout", later, () => withOther(globalThis, "clearTimeout", cancel, act));
}

/** What each worker runs before its script. */
const tools = `
  const hangs = () => new BroadcastChannel("webmend-test").postMessage("");
  const block = () => { hangs(); for (;;); };
  const full = () => { throw new DOMException("not in this test", "QuotaExceededError"); };
  /** Has something else done from the nth message on. */
  const from = (n, act) => addEventListener("message", (event) => {
    if (n-- > 1) return;
    event.stopImmediatePropagation();
    act();
  });
  const file = FileSystemSyncAccessHandle.prototype;
  /** Has another function for one of a file's, from its nth call on and so many times. */
  const instead = (name, n, times, act) => {
    const real = file[name];
    file[name] = function (...args) { return --n < 1 && n > -times ? act.call(this, (...others) => real.apply(this, others), ...args) : real.apply(this, args); };
  };
`;

/** Does something where the workers that write files are broken: how, says a script for each, or for all one. */
async function withWorkers(faults, act) {
  const { createObjectURL } = URL;
  let count = 0;
  const broken = (blob) => {
    if (blob.type !== "text/javascript") return createObjectURL.call(URL, blob);
    const fault = typeof faults === "string" ? faults : (faults[count++] ?? "");
    return createObjectURL.call(URL, new Blob([`{${tools}${fault}\n}`, blob], { type: blob.type }));
  };
  return withOther(URL, "createObjectURL", broken, act);
}

/** Records what there is, and checks that all that was pushed is in the file that comes out. */
async function records(during = () => {}) {
  const { recording, warnings } = spooled();
  for (const [i, chunk] of chunks().entries()) {
    await recording.pushChunk(chunk);
    await during(i);
  }
  const { bytes, dropped } = await recording.finish();
  equal([bytes, dropped], [recorded.length, []], "what was taken");
  await same(await recording.seekable(), wanted, "the file that comes out");
  return { recording, warnings };
}

/** What was warned of, and for what reasons. */
const causes = (warnings) => codes(warnings).map(([ours, code], i) => (ours ? [code, warnings[i].cause?.name] : []));

/** Records, and finds all of it on disk in the end. */
async function keepsAll(want = [], during) {
  const { recording, warnings } = await records(during);
  await until(async () => (await stored()) > recorded.length);
  recording.close();
  const left = await only();
  await same(left.blob(), recorded, "what was kept");
  await left.delete();
  await nothingLeft();
  equal(causes(warnings), want, "its warnings");
}

/** Records, and finds on disk what was written before that could not be any more. */
async function keepsSome(want, during) {
  const { recording, warnings } = await records(during);
  recording.close();
  const left = await only();
  if (left.size >= recorded.length) throw new Error("all of it was kept");
  await same(left.blob(), recorded.subarray(0, left.size), "what was kept");
  await until(() => left.delete().then(() => true, () => false)); // while the browser ends workers
  await nothingLeft();
  equal(causes(warnings), want, "its warnings");
}

/** Records, in memory alone. */
async function keepsNothing(want, during) {
  const { recording, warnings } = await records(during);
  await recording.discard();
  equal(causes(warnings), want, "its warnings");
}

const late = [["spool", "TimeoutError"]];
const full = [["spool", "QuotaExceededError"]];
const other = [["spool", "Error"]];
const ended = "from(4, () => { hangs(); close(); })";
const fails = `setTimeout(() => { throw new Error("not in this test"); })`;
const half = "(real, bytes, at) => real(bytes.subarray(0, bytes.length >> 1), at)";

/** How workers fail: what each does, or all do, what then is kept, and what is warned of. */
const workers = {
  "never answers": ["from(1, hangs)", keepsAll, []],
  "fails at the start": [`from(1, () => ${fails})`, keepsAll, []],
  "is ended in the middle": [[ended], keepsAll, late],
  "is ended, and so is the next": [[ended, "from(1, hangs)"], keepsAll, late],
  "is ended, and so are all others": [[ended, ...Array(99).fill("from(1, hangs)")], keepsSome, late],
  "fails in the middle": [[`from(4, () => ${fails})`], keepsAll, other],
  "waits for a disk that blocks": [[`instead("write", 3, 1, block)`], keepsAll, late],
  "waits for a flush that has written all": [[`instead("flush", 3, 1, (real) => { real(); block(); })`], keepsAll, late],
  "is ended as it looks for space": [[`instead("truncate", 1, 1, (real, size) => { real(size); block(); })`], keepsAll, []],
  "is ended as it closes": [`from(23, hangs)`, keepsAll, []],
  "has no space at the start": [[`instead("write", 1, 2, full)`], keepsAll, full],
  "has no space in the middle": [[`instead("write", 5, 3, full)`], keepsAll, full],
  "has no space for good": [`instead("write", 5, 1e9, full)`, keepsSome, full],
  "has no space to flush": [[`instead("flush", 5, 1, full)`], keepsAll, full],
  "writes half in the middle": [[`instead("write", 5, 1, ${half})`], keepsAll, full],
  "writes half for good": [`instead("write", 5, 1e9, ${half})`, keepsSome, full],
};

export const tests = {};
for (const [what, [faults, keeps, warnings]] of Object.entries(workers)) {
  tests[`a worker that ${what}`] = () => withClock(() => withWorkers(faults, () => keeps(warnings)));
}

/** A request of IndexedDB that never gets an answer. */
const unanswered = () => (hang(), {});

/** Keeps a transaction of a store open for good, as a disk that blocks does. */
function block(store) {
  wait(pass);
  const again = () => {
    try {
      store.get([]).onsuccess = again;
    } catch {
      // It was aborted.
    }
  };
  again();
  return {};
}

/** Has something else done than a method of an object does, from the nth call on and so many times. */
function instead(object, name, n, times, act, during) {
  const real = object[name];
  const broken = function (...args) {
    return --n < 1 && n > -times ? act.apply(this, args) : real.apply(this, args);
  };
  return withOther(object, name, broken, during);
}

const refuse = (name) => () => { throw new DOMException("not in this test", name); };
const put = (n, times, act) => (during) => instead(IDBObjectStore.prototype, "put", n, times, act, during);
const open = (n, times, act) => (during) => instead(IDBFactory.prototype, "open", n, times, act, during);

/** Another tab deletes the database. */
async function deleteDatabase() {
  const request = indexedDB.deleteDatabase("webmend-spool");
  await new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onblocked = () => reject(new Error("the database cannot be deleted"));
  });
}

/** How IndexedDB fails. */
const databases = {
  "never opens": [open(1, 1e9, unanswered), keepsNothing, [["spool", "SecurityError"]]],
  "blocks in the middle": [put(3, 1, function () { return block(this); }), keepsAll, late],
  "blocks for good": [put(3, 1e9, function () { return block(this); }), keepsSome, late],
  "aborts in the middle": [put(3, 1, function () { this.transaction.abort(); return {}; }), keepsAll, [["spool", "AbortError"]]],
  "has no space at the start": [put(1, 2, refuse("QuotaExceededError")), keepsAll, full],
  "has no space for good": [put(3, 1e9, refuse("QuotaExceededError")), keepsSome, full],
};
for (const [what, [broken, keeps, warnings]] of Object.entries(databases)) {
  tests[`a database that ${what}`] = () => withClock(() => withoutFiles(() => broken(() => keeps(warnings))));
}

Object.assign(tests, {
  async "a database that another tab deletes is closed, and the recording goes on in memory"() {
    await withClock(() =>
      withoutFiles(async () => {
        await keepsNothing([["spool", "InvalidStateError"]], (i) => i === 5 && deleteDatabase());
        await nothingLeft();
      }),
    );
  },

  async "a database that blocks, and then does not open for long, has all in the end"() {
    await withClock(() =>
      withoutFiles(() =>
        put(3, 1, function () { return block(this); })(async () => {
          const { recording, warnings } = await open(2, 5, unanswered)(async () => {
            const made = await records();
            await until(async () => (await stored()) > recorded.length);
            return made;
          });
          equal(causes(warnings), late, "its warnings");
          await recording.discard();
          await nothingLeft();
        }),
      ),
    );
  },

  async "what could not be written is once that works, without another chunk"() {
    await withoutFiles(async () => {
      const { recording, warnings } = spooled();
      await instead(IDBObjectStore.prototype, "put", 1, 1, refuse("QuotaExceededError"), () => recording.pushChunk(recorded));
      equal(causes(warnings), full, "its warnings");
      await until(async () => (await stored()) > recorded.length);
      await recording.discard();
      await nothingLeft();
    });
  },

  async "a file that is deleted under a worker leaves the recording in memory"() {
    await withClock(() =>
      withWorkers([ended, ...Array(5).fill("from(1, hangs)")], async () => {
        const gone = async (i) => {
          if (i !== 5) return;
          const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("webmend-spool");
          await until(async () => {
            for await (const id of folder.keys()) await folder.removeEntry(id).catch(() => {});
            return (await folder.keys().next()).done;
          });
        };
        await keepsNothing(late, gone);
        await nothingLeft();
      }),
    );
  },

  async "an answer that cannot be read ends a worker, and another goes on"() {
    let n = 0;
    const worker = class extends Worker {
      postMessage(message) {
        if (++n === 4) wait(() => this.dispatchEvent(new MessageEvent("messageerror")));
        else super.postMessage(message);
      }
    };
    await withClock(() => withOther(globalThis, "Worker", worker, () => keepsAll(other)));
  },

  async "a page that was frozen does not give up on a worker that lives"() {
    let within = false;
    const frozen = (over, ms) => {
      if (ms !== halfDeadline || within) return wait(over, ms);
      return wait(() => {
        within = true;
        over();
        within = false;
      });
    };
    await withOther(globalThis, "setTimeout", frozen, () => keepsAll());
  },

  async "locks that are never given leave a recording in memory"() {
    await withClock(() => withOther(navigator.locks, "request", hang, () => keepsNothing(late)));
    await nothingLeft();
  },

  async "locks that are refused do, too"() {
    await withOther(navigator.locks, "request", () => Promise.reject(new DOMException("not in this test", "SecurityError")), () => keepsNothing([["spool", "SecurityError"]]));
    await nothingLeft();
  },

  async "nothing is offered while it is not known what other pages have open"() {
    const { recording } = spooled();
    await recording.pushChunk(recorded);
    recording.close();
    await only();
    for (const [query, name] of [[hang, "TimeoutError"], [() => Promise.reject(new DOMException("not in this test", "SecurityError")), "SecurityError"]]) {
      const error = await withClock(() => withOther(navigator.locks, "query", query, () => Recording.recoverable().catch((error) => error)));
      equal([error instanceof WebmendError, error.code, error.cause?.name], [true, "spool", name], "the error");
    }
    const left = await only();
    await left.delete();
  },

  async "a file system that never answers is passed over"() {
    await withClock(async () => {
      await withOther(navigator.storage, "getDirectory", hang, async () => {
        const { recording, warnings } = await records();
        recording.close();
        const left = await only();
        await same(left.blob(), recorded, "what was kept");
        await left.delete();
        equal(causes(warnings), [], "its warnings");
      });
      await nothingLeft();
    });
  },

  async "a database that never answers hides no files"() {
    const { recording } = spooled();
    await recording.pushChunk(recorded);
    recording.close();
    await withClock(() => open(1, 1e9, unanswered)(only));
    await (await only()).delete();
  },

  async "an estimate of space that never comes keeps nothing from being written"() {
    await withClock(() => withoutFiles(() => withOther(navigator.storage, "estimate", hang, () => keepsAll())));
  },

  async "discard deletes what a worker that blocks was writing"() {
    await withClock(() =>
      withWorkers(`instead("write", 3, 1, block)`, async () => {
        const { recording } = spooled();
        for (const chunk of chunks()) recording.pushChunk(chunk);
        await recording.discard();
        await nothingLeft();
      }),
    );
  },

  async "discard of what cannot be deleted rejects, and what is left can be deleted later"() {
    const { recording } = spooled();
    await recording.pushChunk(recorded);
    const refused = () => Promise.reject(new DOMException("not in this test", "InvalidStateError"));
    await withClock(() =>
      withOther(FileSystemDirectoryHandle.prototype, "removeEntry", refused, async () => {
        const error = await recording.discard().catch((error) => error);
        equal([error instanceof WebmendError, error.code, error.cause?.name], [true, "spool", "InvalidStateError"], "the error");
        const again = await (await only()).delete().catch((error) => error);
        equal([again instanceof WebmendError, again.code], [true, "spool"], "the error");
      }),
    );
    await (await only()).delete();
    await nothingLeft();
  },

  async "discard of what is never deleted rejects, too"() {
    const { recording } = spooled();
    await recording.pushChunk(recorded);
    await withClock(() =>
      withOther(FileSystemDirectoryHandle.prototype, "removeEntry", hang, async () => {
        const error = await recording.discard().catch((error) => error);
        equal([error instanceof WebmendError, error.code, error.cause?.name], [true, "spool", "TimeoutError"], "the error");
      }),
    );
    await (await only()).delete();
  },
});

/** Has a test end, and leave nothing, even if it fails. */
function bounded(test) {
  return async () => {
    const late = new Promise((_, reject) => wait(() => reject(new Error("it hangs")), 30_000));
    try {
      await Promise.race([test(), late]);
    } catch (error) {
      for (const left of await Recording.recoverable()) await left.delete().catch(() => {});
      throw error;
    }
  };
}
for (const [name, test] of Object.entries(tests)) tests[name] = bounded(test);

/** How many bytes are on disk. */
async function stored() {
  let size = 0;
  const folder = await (await realDirectory.call(navigator.storage)).getDirectoryHandle("webmend-spool", { create: true });
  for await (const file of folder.values()) size += (await file.getFile()).size;
  const request = realOpen.call(indexedDB, "webmend-spool");
  request.onupgradeneeded = () => request.result.createObjectStore("webmend-spool");
  await new Promise((resolve) => (request.onsuccess = resolve));
  const all = request.result.transaction("webmend-spool").objectStore("webmend-spool").getAll();
  await new Promise((resolve) => (all.onsuccess = resolve));
  request.result.close();
  return all.result.reduce((size, blob) => size + blob.size, size);
}
