// A copy on disk of what is recorded, as it comes, and what of such copies a crash has
// left. It is loaded when a recording asks for it.

import type { WebmendError } from "./error.js";
import type { repair, Repaired } from "./files.js";
import type { JobOptions } from "./plan.js";

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

/** What stands before the media, as a line of JSON. */
interface Facts {
  /** In milliseconds since 1970. */
  begun: number;
  name: string;
  type: string;
}

/** Bytes that are only ever added to, on disk. */
interface Log {
  /** Resolves when the bytes are on disk. What is rejected can be tried again. */
  append(bytes: Blob): Promise<void>;
  /** Whether there is space for as many bytes more, as far as the browser tells. */
  hasSpace(bytes: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Where logs are. */
interface Disk {
  open(id: string): Promise<Log>;
  ids(): Promise<string[]>;
  read(id: string): Promise<Blob>;
  delete(id: string): Promise<void>;
}

/** With less left for the origin than this there is a warning: it is three minutes at 2.5 Mbit/s. */
const lowSpace = 64 << 20;

/** After how many bytes it is looked whether there is. */
const lookLength = 8 << 20;

/** How much is written at once of what could not be written before. */
const writeLength = 4 << 20;

/** How much of a name is kept, in characters, and in how many bytes the line of facts ends at the latest. */
const nameLength = 1000;
const factsLength = 8 << 10;

/** What makes ids and locks of the origin ours. */
const folderName = "webmend-spool";

const lockOf = (id: string) => `${folderName} ${id}`;

/** Resolves when what was closed in this page is closed. */
let closed: Promise<unknown> = Promise.resolve();

/** Those of recordings that nobody has any more are left to be recovered. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

/** The copy of one recording. Its lock tells other tabs that the recording is not over. @internal */
export class Spool {
  readonly #failure: typeof WebmendError;
  readonly #warn: (warning: WebmendError) => void;
  readonly #id: string;
  readonly #facts: Facts;
  readonly #opened: Promise<{ log: Log; disk: Disk; release: () => Promise<void> } | null>;
  #queue: Promise<unknown>;
  #waiting: Blob[] = []; // chunks that are not on disk
  #size = 0;
  #lookAt = 0;
  #warned = new Set<string>(); // codes of what is still so

  constructor(options: SpoolOptions, failure: typeof WebmendError) {
    const begun = Date.now();
    this.#failure = failure;
    this.#warn = options.onWarning ?? console.warn;
    this.#id = `${begun}-${Math.random().toString(36).slice(2)}`;
    this.#facts = { begun, name: (options.name ?? "").slice(0, nameLength), type: "" };
    this.#queue = this.#opened = this.#open();
  }

  /** Resolves when the chunks are on disk, or a warning has said that they are not. */
  append(chunks: Blob[]): Promise<void> {
    this.#facts.type ||= chunks[0]?.type ?? "";
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
      const release = await hold(lockOf(this.#id));
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
    closed = Promise.all([closed, this.#queue]).then(() => {});
    return done;
  }

  /** Warns before there is no space left. */
  async #look(log: Log): Promise<void> {
    if (this.#size < this.#lookAt) return;
    this.#lookAt = this.#size + lookLength;
    if (await log.hasSpace(lowSpace)) this.#warned.delete("low-space");
    else this.#tell("low-space", `the browser has less than ${lowSpace >> 20} MiB left on disk for the page's origin`);
  }

  #tell(code: string, message: string, cause?: unknown): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    const warning = new this.#failure({ code, message: `webmend: ${message}` }, { cause });
    queueMicrotask(() => this.#warn(warning)); // should that throw, it is not for who pushes chunks
  }
}

/** Takes a lock, which the browser lets go of when the page is gone, and returns what lets go of it. */
function hold(name: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const over: Promise<void> = navigator.locks.request(name, () => {
      return new Promise<void>((end) => {
        resolve(() => {
          end();
          return over;
        });
      });
    });
    over.catch(reject);
  });
}

/**
 * What is left on disk of a recording that no page has open any more. Several pages may
 * find the same.
 */
export class Recoverable {
  /** Which it is: no other has the same. */
  readonly id: string;
  /** What the recording was called, in `spool`. */
  readonly name: string;
  /** When it was made. */
  readonly begun: Date;
  /** The media type that the recorder gave its first chunk; `""` if there was none. */
  readonly mimeType: string;
  /** Bytes of media. */
  readonly size: number;
  readonly #disk: Disk;
  readonly #blob: Blob;
  readonly #repair: typeof repair;

  /** @internal */
  constructor(disk: Disk, id: string, { begun, name, type }: Facts, blob: Blob, repairs: typeof repair) {
    this.id = id;
    this.name = name;
    this.begun = new Date(begun);
    this.mimeType = type;
    this.size = blob.size;
    this.#disk = disk;
    this.#blob = blob;
    this.#repair = repairs;
  }

  /**
   * The chunks as they were pushed, one after the other, up to the last that had been
   * written. They stay on disk, where they are read: use it before `delete`.
   */
  blob(): Blob {
    return this.#blob;
  }

  /** A file of it in which players can seek, as the function `repair` makes it and rejects. Use it before `delete`. */
  repair(options?: JobOptions & { recording?: number }): Promise<Repaired> {
    return this.#repair(this.#blob, options);
  }

  /** Deletes it, once it is safe elsewhere or not wanted. Rejects if the browser cannot. */
  delete(): Promise<void> {
    return this.#disk.delete(this.id);
  }
}

/** What no page has open, oldest first. @internal */
export async function recoverable(repairs: typeof repair): Promise<Recoverable[]> {
  await closed;
  const found: Recoverable[] = [];
  for (const disk of disks) {
    const ids = await disk.ids().catch(() => []);
    if (ids.length === 0) continue;
    const held = new Set((await navigator.locks.query()).held!.map((lock) => lock.name)); // later than ids, as locks are taken first
    for (const id of ids) {
      if (held.has(lockOf(id))) continue;
      const all = await disk.read(id).catch(() => null);
      if (!all) continue; // another page has deleted it meanwhile
      const end = new Uint8Array(await all.slice(0, factsLength).arrayBuffer()).indexOf(10) + 1;
      if (end === 0 || end === all.size) {
        await disk.delete(id).catch(() => {}); // it ended before the first chunk
        continue;
      }
      const facts: Facts = JSON.parse(await all.slice(0, end).text());
      found.push(new Recoverable(disk, id, facts, all.slice(end, all.size, facts.type), repairs));
    }
  }
  return found.sort((a, b) => Number(a.begun) - Number(b.begun));
}

/** A file for each, in the origin private file system. A worker writes it, as only there something can be added to one at once. */
const files: Disk = {
  async open(id) {
    await folder(); // if it cannot be read, it is not to be written
    const address = URL.createObjectURL(new Blob([`(${writeFile})()`], { type: "text/javascript" }));
    const worker = new Worker(address);
    const call = (message: string | Blob | number | null) =>
      new Promise<void>((resolve, reject) => {
        worker.onmessage = ({ data }) => (data ? reject(new DOMException(data.message, data.name)) : resolve());
        worker.onerror = (event) => {
          event.preventDefault(); // it is no error of the page
          reject(new Error(event.message || "the Content-Security-Policy forbids the worker"));
        };
        worker.postMessage(message);
      });
    const close = () => call(null).finally(() => worker.terminate());
    try {
      await call(JSON.stringify([folderName, id]));
    } catch (error) {
      worker.terminate();
      throw error;
    } finally {
      URL.revokeObjectURL(address);
    }
    let closing: Promise<void> | undefined;
    return {
      append: call,
      hasSpace: (bytes) => call(bytes).then(() => true, () => false),
      close: () => (closing ??= close()),
    };
  },

  async ids() {
    const ids: string[] = [];
    for await (const id of ((await folder()) as unknown as { keys(): AsyncIterable<string> }).keys()) ids.push(id);
    return ids;
  },

  read: async (id) => (await (await folder()).getFileHandle(id)).getFile(),

  async delete(id) {
    await (await folder()).removeEntry(id).catch((error) => {
      if (error.name !== "NotFoundError") throw error;
    });
  },
};

const folder = async () => (await navigator.storage.getDirectory()).getDirectoryHandle(folderName, { create: true });

/** What a worker has that types of pages lack. */
interface AccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** The whole script of the worker: nothing of this file is there. It is told where the file is, then what to add, or for how much there should be space, then null. */
function writeFile(): void {
  let file: AccessHandle;
  let size = 0;
  addEventListener("message", async ({ data }: MessageEvent<string | Blob | number | null>) => {
    try {
      if (typeof data === "string") {
        const [folder, id] = JSON.parse(data);
        const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true });
        const handle = (await directory.getFileHandle(id, { create: true })) as unknown as { createSyncAccessHandle(): Promise<AccessHandle> };
        file = await handle.createSyncAccessHandle();
      } else if (typeof data === "number") {
        await file.truncate(size + data); // navigator.storage.estimate() does not say it: Chromium answers 10 GiB, whatever there is
        await file.truncate(size);
      } else if (data) {
        const bytes = new Uint8Array(await data.arrayBuffer());
        const written = file.write(bytes, { at: size });
        if (written < bytes.length) throw new DOMException(`${written} of ${bytes.length} bytes were written`, "QuotaExceededError");
        await file.flush(); // it was asynchronous once
        size += written;
      } else {
        await file.close();
      }
      postMessage(null);
    } catch (error) {
      const { name, message } = error as Error;
      postMessage({ name, message });
    }
  });
}

/** Records of a database, by id and offset. */
const database: Disk = {
  async open(id) {
    const db = await connect();
    let size = 0;
    return {
      async append(bytes) {
        await committed(db, (store) => store.put(bytes, [id, size]));
        size += bytes.size;
      },
      async hasSpace(bytes) {
        const { quota = Infinity, usage = 0 } = await navigator.storage.estimate();
        return quota - usage >= bytes;
      },
      close: async () => db.close(),
    };
  },

  ids: () =>
    connected(async (db) => {
      const ids: string[] = [];
      const request = db.transaction(folderName).objectStore(folderName).openKeyCursor();
      await new Promise<void>((resolve, reject) => {
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const cursor = request.result;
          if (!cursor) return resolve();
          const [id] = cursor.key as [string, number];
          ids.push(id);
          cursor.continue([id, []]); // which sorts after all offsets
        };
      });
      return ids;
    }),

  read: (id) => connected(async (db) => new Blob(await result(db.transaction(folderName).objectStore(folderName).getAll(rangeOf(id))))),

  delete: (id) => connected((db) => committed(db, (store) => store.delete(rangeOf(id)))),
};

const rangeOf = (id: string) => IDBKeyRange.bound([id, 0], [id, []]);

const disks = [files, database];

async function connect(): Promise<IDBDatabase> {
  const request = indexedDB.open(folderName);
  request.onupgradeneeded = () => request.result.createObjectStore(folderName);
  return result(request);
}

async function connected<T>(act: (db: IDBDatabase) => Promise<T>): Promise<T> {
  const db = await connect();
  try {
    return await act(db);
  } finally {
    db.close();
  }
}

function committed(db: IDBDatabase, change: (store: IDBObjectStore) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(folderName, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    change(transaction.objectStore(folderName));
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
