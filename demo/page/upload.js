// What is recorded goes to the server while it is: each part as soon as it is complete.
// Whatever fails is tried again, and what the server has is asked for before it is sent
// a second time.

/** Milliseconds until the first other try, and the most until any. */
const [soon, late] = [500, 15_000];

export class Upload {
  /** What the server calls it, once it has answered. */
  id = null;
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

  /**
   * Begins to send a recording, or goes on with an upload that a page which is gone began.
   * @param {{ mimeType: string, parts: (options: object) => ReadableStream }} recording with its header by now
   * @param {() => void} changed is called when something of the upload is another
   * @param {string | null} id of the upload to go on with
   */
  constructor(recording, changed, id = null) {
    this.#changed = changed;
    this.id = id;
    this.ended = this.#send(recording);
  }

  async #send(recording) {
    try {
      const type = recording.mimeType;
      const begin = () => (this.id ? call(`uploads/${this.id}`) : call("uploads", { method: "POST", json: { kind: "parts", type } }));
      const { id, partSize, pieces: there = [] } = await this.#untilItWorks(begin);
      this.id = id;
      this.#changed();
      // Part 1 comes last: until then, this stands in for it, so that what there is plays.
      const opening = recording.parts({ size: partSize, order: "arrival" }).getReader();
      const { value: first } = await opening.read();
      opening.cancel();
      if (!first.last && there.length === 0) await this.#put("opening", first.blob);
      let count = 0;
      const reader = recording.parts({ size: partSize }).getReader();
      for (;;) {
        const { done, value: part } = await reader.read();
        if (done) break;
        const { number, blob } = part;
        const has = ({ pieces = [] }) => pieces.some((piece) => piece.number === number && piece.size === blob.size);
        if (!has({ pieces: there })) await this.#put(`parts/${number}`, blob, has);
        count = Math.max(count, number);
        this.parts++;
        this.bytes += blob.size;
        this.#changed();
      }
      await this.#untilItWorks(() => call(`uploads/${id}/complete`, { method: "POST", json: { count } }));
      this.state = "complete";
    } catch (error) {
      this.state = "failed";
      this.problem = error.message;
      // Where there was nothing to record, there is nothing to keep.
      if (this.id && error.code === "no-clusters") await call(`uploads/${this.id}`, { method: "DELETE" }).catch(() => {});
    }
    this.#changed();
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

/** Makes a recording of what has arrived of one. */
export const repairUpload = (id) => call(`uploads/${id}/repair`, { method: "POST", json: { ended: true }, patience: 600_000 });

export const deleteUpload = (id) => call(`uploads/${id}`, { method: "DELETE" });

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
  throw Object.assign(new Error(parsed(text)?.error ?? `the server answers ${status}`), { final });
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
