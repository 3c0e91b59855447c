// Copies a recording to disk as it comes. Loaded on demand.

import { tell, WebmendError } from "./base/error.js";
import { disks, lock, type Disk, type Log } from "./media/disk.js";
import { closing, type Facts } from "./recoverable.js";

/** @internal */
export { recoverable } from "./recoverable.js";

/** Options of a recording's copy on disk. */
export interface SpoolOptions {
  /** What `Recording.recoverable` tells of it later, so that a page knows which it is: up to 1,000 characters. Default `""`. */
  name?: string;
  /**
   * Is told what threatens the copy: by code `low-space` that the browser has less than
   * 64 MiB left for the page's origin, by code `spool` that chunks are in memory alone, as
   * they could not be written, for the reason that is its `cause`. Nothing of the recording
   * is lost by either; what waits is written when there is space again. Default: `console.warn`.
   */
  onWarning?: (warning: WebmendError) => void;
}

/** With less left for the origin than this there is a warning: it is three minutes at 2.5 Mbit/s. */
const lowSpace = 64 << 20;

/** After how many bytes it is looked whether there is. */
const lookLength = 8 << 20;

/** How much is written at once of what could not be written before. */
const writeLength = 4 << 20;

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

  constructor(options: SpoolOptions) {
    const begun = Date.now();
    this.#warn = options.onWarning ?? console.warn;
    this.#id = `${begun}-${Math.random().toString(36).slice(2)}`;
    this.#facts = { begun, name: (options.name ?? "").slice(0, textLength), type: "" };
    this.#queue = this.#opened = this.#open();
  }

  /** Resolves when the chunks are on disk, or a warning has said that they are not. */
  append(chunks: Blob[]): Promise<void> {
    this.#facts.type ||= (chunks[0]?.type ?? "").slice(0, textLength);
    this.#waiting.push(...chunks);
    const done = this.#queue.then(() => this.#write());
    this.#queue = done;
    return done;
  }

  /** Leaves it to be recovered. */
  close(): void {
    this.#close(false).catch(() => {}); // what is on disk is there all the same
  }

  /** Deletes it, be it closed or not. */
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
          forgotten.register(this, () => void log.close().finally(release), this);
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

  async #write(): Promise<void> {
    const log = (await this.#opened)?.log;
    if (!log) {
      this.#waiting = [];
      return;
    }
    while (this.#waiting.length > 0) {
      const batch: Blob[] = [];
      for (let size = 0; batch.length < this.#waiting.length && size < writeLength; size += batch.at(-1)!.size) batch.push(this.#waiting[batch.length]!);
      const bytes = new Blob(this.#size === 0 ? [JSON.stringify(this.#facts), "\n", ...batch] : batch);
      try {
        await this.#look(log);
        await log.append(bytes);
      } catch (cause) {
        this.#tell("spool", `what is recorded could not be written to disk, and is kept in memory: ${cause}`, cause);
        return;
      }
      this.#warned.delete("spool");
      this.#waiting.splice(0, batch.length);
      this.#size += bytes.size;
    }
  }

  #close(safe: boolean): Promise<void> {
    const done = this.#queue.then(async () => {
      const opened = await this.#opened;
      if (!opened) return;
      try {
        await opened.log.close();
        if (safe || this.#size === 0) await opened.disk.delete(this.#id);
      } finally {
        await opened.release();
        forgotten.unregister(this);
      }
    });
    this.#queue = done.catch(() => {});
    closing(this.#queue);
    return done;
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
