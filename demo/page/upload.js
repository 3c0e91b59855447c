// What is recorded goes to the server while it is: each part as soon as it is complete.
// Whatever fails is tried again, and what the server has is asked for before it is sent
// a second time.

/** Milliseconds until the first other try, and the most until any. */
const [soon, late] = [500, 15_000];

/** How often a recording is sent from its beginning, to a server that forgets it. */
const mostBegins = 3;

/** What a tab holds while it uploads a recording. */
const lockOf = (id) => `webmend upload ${id}`;

const more = () => new Error("the server has more of it than this computer");

export class Upload {
  /** What the server and this computer call it. */
  id;
  /** "sending", "waiting" for another try, "complete" or "failed" */
  state = "sending";
  /** Why it waits or has failed. */
  problem = null;
  /** What the server has. */
  parts = 0;
  bytes = 0;
  /** Settles once the server has all of it, or never will. */
  ended;
  #changed;
  #isEmpty = false; // whether the server has nothing of it

  /**
   * Begins to send a recording, or goes on where a page that is gone was.
   * @param {string} id what the recording is called: the server calls its upload the same, so
   *   that whoever finds one finds the other
   * @param {{ mimeType: string, parts: (options: object) => ReadableStream }} recording with its header by now
   * @param {() => void} changed is called when something of the upload is another
   */
  constructor(id, recording, changed) {
    this.id = id;
    this.#changed = changed;
    this.ended = navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => this.#send(lock, recording));
  }

  async #send(lock, recording) {
    try {
      if (!lock) throw new Error("another tab is uploading it");
      let begins = 0;
      do this.parts = this.bytes = 0;
      while (!(await this.#sendAll(recording, ++begins < mostBegins)));
      this.state = "complete";
    } catch (error) {
      this.state = "failed";
      this.problem = error.message;
      // Where there was nothing to record, there is nothing to keep.
      if (error.code === "no-clusters" && this.#isEmpty) await call(`uploads/${this.id}`, { method: "DELETE" }).catch(() => {});
    }
    this.#changed();
  }

  /** Resolves to false if all of it must be sent again, as the server does not know it any more. */
  async #sendAll(recording, mayBeginAgain) {
    try {
      const json = { id: this.id, kind: "parts", type: recording.mimeType };
      const { partSize, pieces: there = [], size, done, repaired } = await this.#untilItWorks(() => call("uploads", { method: "POST", json }));
      this.#isEmpty = size === 0;
      if (done && !repaired) return true; // the answer to its completion was lost
      if (done) throw new Error("the server has completed what had arrived, and takes no more of it");
      this.#changed();
      // Part 1 comes last: until then, this stands in for it, so that what there is plays.
      const opening = recording.parts({ size: partSize, order: "arrival" }).getReader();
      const { value: first } = await opening.read();
      opening.cancel();
      if (!first.last && there.length === 0) await this.#put("opening", first.blob);
      let count = 0;
      for await (const { number, blob } of recording.parts({ size: partSize })) {
        const before = there.find((piece) => piece.number === number);
        if (before?.size > blob.size) throw more();
        const has = ({ pieces = [] }) => pieces.some((piece) => piece.number === number && piece.size === blob.size);
        if (!has({ pieces: there })) await this.#put(`parts/${number}`, blob, has);
        count = Math.max(count, number);
        this.parts++;
        this.bytes += blob.size;
        this.#changed();
      }
      if (there.some(({ number }) => number > count)) throw more();
      await this.#untilItWorks(() => call(`uploads/${this.id}/complete`, { method: "POST", json: { count } }));
      return true;
    } catch (error) {
      if (error.status === 404 && mayBeginAgain) return false;
      throw error;
    }
  }

  /** Puts what has a name; `has` tells whether the server already has it, from what that says. */
  #put(name, blob, has = () => false) {
    const here = `uploads/${this.id}/${name}`;
    return this.#untilItWorks(async (again) => {
      if (again && has(await call(`uploads/${this.id}`))) return;
      // Where the store is out of reach for this page, the server passes it on.
      const { url } = again ? { url: here } : await call(here, { method: "POST", json: { size: blob.size } });
      await call(url, { method: "PUT", body: blob });
    });
  }

  /** Tries until the answer is final. */
  async #untilItWorks(attempt) {
    for (let tries = 0; ; tries++) {
      try {
        const answer = await attempt(tries > 0);
        this.#is("sending", null);
        return answer;
      } catch (error) {
        if (error.final) throw error;
        this.#is("waiting", error.message);
        // Not all pages at the same moment, after the server was away.
        await online(Math.min(soon * 2 ** tries, late) * (0.75 + Math.random() / 2));
      }
    }
  }

  #is(state, problem) {
    if (this.state === state && this.problem === problem) return;
    this.state = state;
    this.problem = problem;
    this.#changed();
  }
}

/** All that the server has, the newest first. */
export const listUploads = () => call("uploads");

/** Does something with a recording or its upload while nothing sends it. */
export function whileIdle(id, act) {
  return navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => {
    if (!lock) throw new Error("it is being uploaded");
    return act();
  });
}

/** Whether the server has all of a recording now. */
export async function isOnServer(id) {
  const { done, repaired } = await call(`uploads/${id}`).catch(() => ({}));
  return Boolean(done && !repaired);
}

/** Which uploads tabs of this browser are sending. */
export async function underWay() {
  const { held } = await navigator.locks.query();
  return (id) => held.some(({ name }) => name === lockOf(id));
}

/** Makes a recording of what has arrived of one. `ended` says that nothing sends any more of it, as far as is known here. */
export const repairUpload = (id, ended) => call(`uploads/${id}/repair`, { method: "POST", json: { ended }, patience: 600_000 });

/** Deletes an upload, unless more has come of it than when that was asked for. */
export function deleteUpload({ id, done, size, error }) {
  return whileIdle(id, async () => {
    const now = error ? {} : await call(`uploads/${id}`);
    if (!error && (now.done !== done || now.size !== size)) throw new Error("it has changed meanwhile");
    await call(`uploads/${id}`, { method: "DELETE" });
  });
}

/**
 * Asks the server, and gives its answer. An error is `final` if another try would be
 * refused as well.
 */
async function call(url, { method = "GET", json, body = json && JSON.stringify(json), patience = 30_000 } = {}) {
  const long = patience + (body?.size ?? 0) / 16; // 16 KB a second are slow
  const answer = await fetch(url, { method, body, signal: AbortSignal.timeout(long) });
  const text = await answer.text();
  if (answer.ok) return text === "" || answer.status === 204 ? null : parsed(text);
  const { status } = answer;
  // What a store refuses, the server may yet take.
  const final = !url.includes(":") && status >= 400 && status < 500 && ![408, 425, 429].includes(status);
  throw Object.assign(new Error(parsed(text)?.error ?? `the server answers ${status}`), { final, status });
}

/** JSON, or nothing: a store's answers are none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Waits for a time, or until there is a network again. */
function online(milliseconds) {
  return new Promise((resolve) => {
    const done = () => {
      removeEventListener("online", done);
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
  });
}
