// Copies a recording to disk as it comes. Loaded on demand.

import { tell, WebmendError } from "./base/error.js";
import { native } from "./base/gather.js";
import { disks, lock, type Disk, type Log } from "./media/disk.js";
import { closing, erase, type Facts } from "./recoverable.js";

/** @internal */
export { recoverable } from "./recoverable.js";

/** Options of a recording's copy on disk. */
export interface SpoolOptions {
  /** What `Recording.recoverable` tells of it later, so that a page knows which it is: up to 1,000 characters. Default `""`. */
  name?: string | undefined;
  /**
   * Is told what threatens the copy: by code `low-space` that the browser has less than
   * 64 MiB left for the page's origin, by code `spool` that chunks are in memory alone, as
   * they could not be written, for the reason that is its `cause`. Nothing of the recording
   * is lost by either; what waits is written as soon as that works again. Default: `console.warn`.
   */
  onWarning?: ((warning: WebmendError) => void) | undefined;
}

/** With less left for the origin than this there is a warning: it is three minutes at 2.5 Mbit/s. */
const lowSpace = 64 << 20;

/** After how many bytes it is looked whether there is. */
const lookLength = 8 << 20;

/** How much is written at once, which even a slow disk can before the browser's answer is too late. */
const writeLength = 4 << 20;

/** After how many milliseconds it is tried to write what could not be written: each time twice as many, from the first to the last. */
const firstPause = 1000;
const lastPause = 60_000;

/** How much of a name or a media type is kept, in characters. */
const textLength = 1000;

/** Those of recordings that nobody has any more are left to be recovered. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

/** The copy of one recording. Its lock tells other tabs that the recording is not over. @internal */
export class Spool {
  readonly #warn: (warning: WebmendError) => void;
  readonly #id: string;
  readonly #facts: Facts;
  readonly #opened: Promise<{ log: Log; disk: Disk; release: () => Promise<void> } | null>;
  #queue: Promise<unknown>;
  #waiting: Blob[] = []; // chunks that are not on disk
  #size = 0;
  #lookAt = 0;
  #warned = new Set<string>(); // codes of what is still so
  #pause = firstPause;
  #retry: ReturnType<typeof setTimeout> | undefined; // from when something could not be written until all is
  #closed = false;

  constructor(options: SpoolOptions) {
    const begun = Date.now();
    this.#warn = options.onWarning ?? console.warn;
    this.#id = `${begun}-${Math.random().toString(36).slice(2)}`;
    this.#facts = { begun, name: (options.name ?? "").slice(0, textLength), type: "" };
    this.#queue = this.#opened = this.#open();
  }

  /** Resolves when the chunks are on disk, or a warning has said that they are not. */
  async append(chunks: Blob[]): Promise<void> {
    this.#facts.type ||= (chunks[0]?.type ?? "").slice(0, textLength);
    this.#waiting.push(...chunks);
    const write = async () => {
      if (this.#retry === undefined) await this.#write();
    };
    if (this.#retry === undefined) await this.#inTurn(write); // and who waits for one that fails does not wait for another
  }

  /** Leaves it to be recovered. */
  close(): void {
    this.#close(false).catch(() => {}); // what is on disk is there all the same
  }

  /** Deletes it, be it closed or not. Rejects with a WebmendError if the browser cannot. */
  discard(): Promise<void> {
    return this.#close(true);
  }

  async #open() {
    try {
      if (!globalThis.navigator?.locks) throw new Error("there are no Web Locks, which only secure contexts have");
      const release = await lock(this.#id);
      const reasons: unknown[] = [];
      for (const disk of disks) {
        try {
          const log = await disk.open(this.#id);
          forgotten.register(this, () => void log.close().catch(() => {}).finally(release), this);
          return { log, disk, release };
        } catch (error) {
          reasons.push(error);
        }
      }
      await release();
      throw reasons[0];
    } catch (cause) {
      this.#tell("spool", `what is recorded is kept in memory alone, as there is no storage for it: ${cause}`, cause);
      return null;
    }
  }

  #inTurn(job: () => Promise<unknown>): Promise<unknown> {
    const done = this.#queue.then(job);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Writes what waits, or warns that it cannot, and tries again later. */
  async #write(): Promise<void> {
    const log = (await this.#opened)?.log;
    if (!log) this.#waiting = [];
    try {
      while (log && this.#waiting.length > 0) {
        const count = this.#waiting.length;
        const chunks = await Promise.all(this.#waiting.map((blob) => native(blob).catch(() => ""))); // pushChunk says what cannot be read
        const all = new Blob(this.#size === 0 ? [JSON.stringify(this.#facts), "\n", ...chunks] : chunks);
        const bytes = all.slice(0, writeLength);
        await this.#look(log);
        await log.append(bytes);
        this.#size += bytes.size;
        this.#waiting.splice(0, count, ...(bytes.size < all.size ? [all.slice(bytes.size)] : []));
      }
      if (log) this.#warned.delete("spool");
      this.#retry = undefined;
      this.#pause = firstPause;
    } catch (cause) {
      this.#tell("spool", `what is recorded could not be written to disk, and is kept in memory until it can: ${cause}`, cause);
      if (this.#closed) return;
      this.#retry = setTimeout(() => this.#inTurn(() => this.#write()), this.#pause);
      this.#pause = Math.min(2 * this.#pause, lastPause);
    }
  }

  async #close(discard: boolean): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const done = this.#inTurn(async () => {
      const opened = await this.#opened;
      if (!opened) return;
      if (!discard) await this.#write(); // once more what could not be
      this.#waiting = [];
      try {
        await opened.log.close().catch(() => {}); // what was written is there all the same
        if (discard || this.#size === 0) await erase(opened.disk, this.#id);
      } finally {
        await opened.release();
        forgotten.unregister(this);
      }
    });
    closing(this.#queue);
    await done;
  }

  /** Warns before there is no space left. */
  async #look(log: Log): Promise<void> {
    if (this.#size < this.#lookAt) return;
    this.#lookAt = this.#size + lookLength;
    if (await log.hasSpace(lowSpace)) this.#warned.delete("low-space");
    else this.#tell("low-space", `the browser has less than ${lowSpace >> 20} MiB left on disk for the page's origin`);
  }

  #tell(code: "spool" | "low-space", message: string, cause?: unknown): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    const warning = new WebmendError({ code, message: `webmend: ${message}` }, { cause });
    queueMicrotask(() => tell(this.#warn, warning));
  }
}
