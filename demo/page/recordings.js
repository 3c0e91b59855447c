// The lists of recordings: those on this computer alone, those that are elsewhere too, and
// those on the server; and what can be done with each.

import { clock, size } from "./format.js";
import { deleteLeft, listLeft, rememberDownload, rememberFailure, restore } from "./left.js";
import { deleteUpload, isOnServer, listUploads, repairUpload, underWay, Upload } from "./upload.js";

const $ = (id) => document.getElementById(id);

/** How long a deletion can be undone, in milliseconds. */
const undoable = 8000;

export class Recordings {
  /** Uploads of this page that are not over. */
  sending = new Set();
  #webmend;
  #page;
  #uploads = []; // what the server had last
  #rows = new Map(); // what is shown, by its key
  #deletions = new Map(); // what has been deleted and can be undone, by the key of its row
  #files = new Map(); // seekable files of what is on this computer, by its id

  /**
   * @param {{ download: (part: string, blob: Blob, began: Date) => void, fail: (text: string) => void }} page
   */
  constructor(webmend, page) {
    this.#webmend = webmend;
    this.#page = page;
  }

  /** Sends a recording to the server, while it is recorded or afterwards. */
  send(name, recording, changed) {
    const upload = new Upload(name, recording, () => changed(upload));
    this.sending.add(upload);
    upload.ended.then(() => {
      this.sending.delete(upload);
      if (upload.state === "failed") rememberFailure(name, upload.problem);
      this.refresh();
    });
    return upload;
  }

  /** Lists what there is by now. */
  async refresh() {
    this.#uploads = await listUploads().catch(() => []); // without a server there is nothing to list
    await this.refreshLeft();
  }

  /** Lists what may be another without this page's doing. */
  look() {
    return this.#uploads.some(({ done }) => !done) ? this.refresh() : this.refreshLeft();
  }

  /** Lists what there is on this computer by now: another page may end at any time. */
  async refreshLeft() {
    const [left, isUnderWay] = [await listLeft(this.#webmend, this.#uploads), await underWay()];
    const uploads = this.#uploads.map((upload) => ({ ...upload, isUnderWay: isUnderWay(upload.id), copy: left.find((l) => l.left.name === upload.id) }));
    for (const one of left) one.isUnderWay = isUnderWay(one.left.name);
    const before = this.#rows;
    this.#rows = new Map();
    // A row that stays as it is keeps its player, and the keyboard's place.
    const row = (key, facts, make) => {
      const json = JSON.stringify([facts, this.#deletions.has(key)]);
      const old = before.get(key);
      const made = old?.json === json ? old.made : make(key);
      this.#rows.set(key, { json, made });
      return made;
    };
    const leftRow = (l) => row(`left ${l.left.id}`, { ...l, left: "", upload: Boolean(l.upload) }, (key) => this.#leftRow(key, l));
    show("left", "left-rows", left.filter((l) => !l.isDownloaded).map(leftRow));
    show("kept", "kept-rows", left.filter((l) => l.isDownloaded).map(leftRow));
    const mine = (id) => [...this.sending].some((upload) => upload.id === id);
    show("server", "uploads", uploads.filter(({ id }) => !mine(id)).map((u) => row(`server ${u.id}`, { ...u, copy: Boolean(u.copy) }, (key) => this.#uploadRow(key, u))));
  }

  #uploadRow(key, { id, began, done, live, size: bytes, repaired, error, isUnderWay, copy }) {
    const when = error ? "A recording" : dateTime(new Date(began));
    const state = error ?? (isUnderWay ? "another tab is uploading it" : done ? (repaired ? "completed of what had arrived" : "complete") : live && !copy ? "unfinished, it may be under way" : "unfinished");
    const link = Object.assign(document.createElement("a"), { className: "button small", href: `uploads/${id}/file`, target: "_blank", textContent: "Open" });
    link.setAttribute("aria-label", `Open the recording of ${when}`);
    const complete = () => this.#do(() => repairUpload(id, Boolean(copy)), "The server did not do it");
    return this.#row(key, when, `${size(bytes ?? 0)}, ${state}`, () => deleteUpload({ id, done, size: bytes, error }), [
      ...(done ? [link] : bytes > 0 && !isUnderWay ? [button("Finish with what arrived", when, complete)] : []),
    ], isUnderWay);
  }

  #leftRow(key, { left, upload, isDownloaded, failure, isUnderWay }) {
    const when = dateTime(left.begun);
    const state = [
      isUnderWay ? "is being uploaded" : upload ? "not all of it uploaded" : isDownloaded ? "" : "neither downloaded nor uploaded",
      isDownloaded ? "downloaded" : "",
      failure ? `its upload failed: ${failure}` : "",
    ].filter(Boolean);
    const save = () =>
      this.#do(async () => {
        const { blob } = await this.#file(left);
        this.#page.download("-recovered", blob, left.begun);
        rememberDownload(left.name);
      }, "It could not be saved");
    const made = this.#row(key, when, `${size(left.size)}, ${state.join(", ")}`, () => deleteLeft(left), [
      button("Save", when, save),
      ...(isUnderWay ? [] : [button(upload ? "Upload the rest" : "Upload", when, () => this.#do(() => this.#sendLeft(left), "It was not uploaded"))]),
    ], isUnderWay);
    if (!isDownloaded && !made.dataset.deleted) this.#addPlayer(made, left, when);
    return made;
  }

  /** The seekable file of what is left, which is made once. */
  #file(left) {
    let file = this.#files.get(left.id);
    if (!file) {
      file = left.repair();
      file.catch(() => this.#files.delete(left.id));
      this.#files.set(left.id, file);
    }
    return file;
  }

  /** Shows how long it is, and plays it, once that is known. */
  async #addPlayer(row, left, when) {
    const player = Object.assign(document.createElement("video"), { controls: true, preload: "metadata", playsInline: true });
    player.setAttribute("aria-label", `The recording of ${when}`);
    row.prepend(player);
    const facts = row.querySelector(".facts");
    try {
      const { blob, start, end } = await this.#file(left);
      player.src = URL.createObjectURL(blob);
      facts.prepend(`${clock(end - start)}, `);
    } catch (error) {
      player.remove();
      facts.append(`. It does not play: ${error.message}`);
    }
  }

  async #sendLeft(left) {
    const { recording, error } = await restore(this.#webmend, left);
    try {
      const upload = this.send(left.name, recording, () => {});
      this.refresh();
      await upload.ended;
      if (upload.state !== "complete") throw new Error(upload.problem);
      if (error) throw new Error(`not all of it can be read, and the copy is kept: ${error.message}`);
      if (await isOnServer(left.name)) await deleteLeft(left);
    } finally {
      recording.close();
    }
  }

  /** A row of a list. What is deleted in it is gone after a while in which that can be undone. */
  #row(key, when, facts, remove, actions, isUnderWay) {
    const made = document.createElement("li");
    const text = (className, textContent) => Object.assign(document.createElement("span"), { className, textContent });
    const buttons = text("buttons", "");
    made.append(text("when", when), text("quiet facts", facts), buttons);
    if (this.#deletions.has(key)) {
      made.dataset.deleted = "yes";
      made.querySelector(".facts").textContent = "deleted";
      buttons.append(button("Undo", when, () => this.#undo(key), "Undo the deletion of"));
    } else {
      buttons.append(...actions, ...(isUnderWay ? [] : [button("Delete", when, () => this.#delete(key, remove))]));
    }
    return made;
  }

  #delete(key, remove) {
    const done = async () => {
      this.#deletions.delete(key);
      await this.#do(remove, "It was not deleted");
    };
    this.#deletions.set(key, setTimeout(done, undoable));
    return this.refreshLeft();
  }

  #undo(key) {
    clearTimeout(this.#deletions.get(key));
    this.#deletions.delete(key);
    return this.refreshLeft();
  }

  async #do(work, what) {
    await work().catch((error) => this.#page.fail(`${what}: ${error.message}.`));
    await this.refresh();
  }
}

/** Shows a list, and its section if there is something in it. */
function show(section, list, rows) {
  $(section).hidden = rows.length === 0;
  const shown = $(list).children;
  if (shown.length !== rows.length || rows.some((row, i) => row !== shown[i])) $(list).replaceChildren(...rows);
}

const dateTime = (date) => date.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });

function button(text, when, act, label = text) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: text });
  made.setAttribute("aria-label", `${label} the recording of ${when}`);
  made.onclick = async () => {
    made.disabled = true;
    await act();
    made.disabled = false;
  };
  return made;
}
