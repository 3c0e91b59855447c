// Files or database records of the browser that outlive the page, and their locks. A disk
// can block, a worker can be ended, and another tab can delete a database: nothing here
// waits for any of them for ever.

import { within } from "../base/deadline.js";

/** Bytes that are only ever added to, on disk. */
export interface Log {
  /**
   * Resolves when the bytes are on disk. What is rejected can be tried again, be it longer
   * then: it is written where it would have been, even if it had been written and only the
   * answer has not come.
   */
  append(bytes: Blob): Promise<void>;
  /** Whether there is space for as many bytes more, as far as the browser tells. */
  hasSpace(bytes: number): Promise<boolean>;
  /** What was appended stays, even if this rejects. */
  close(): Promise<void>;
}

/** Where logs are. */
export interface Disk {
  open(id: string): Promise<Log>;
  ids(): Promise<string[]>;
  read(id: string): Promise<Blob>;
  delete(id: string): Promise<void>;
}

/** What makes files, databases and locks of the origin ours. */
const folderName = "webmend-spool";

/** For as long the browser may be busy with one thing. A slow disk flushes 4 MiB in less. */
const deadline = 10;

/** What the browser answers, if it does. */
const soon = <T>(what: string, answer: Promise<T>) => within(deadline, what, answer);

/** Takes the lock of an id, which the browser lets go of when the page is gone, and returns what lets go of it. */
export function lock(id: string): Promise<() => Promise<void>> {
  const giveUp = new AbortController();
  const taken = new Promise<() => Promise<void>>((resolve, reject) => {
    const over: Promise<void> = navigator.locks.request(lockOf(id), { signal: giveUp.signal }, () => {
      return new Promise<void>((end) => {
        resolve(() => {
          end();
          return soon("the lock", over).catch(() => {}); // whatever became of it
        });
      });
    });
    over.catch(reject);
  });
  return soon("the lock", taken).catch((error) => {
    giveUp.abort();
    throw error;
  });
}

/** Returns a function that tells whether a page has the lock of an id. */
export async function locked(): Promise<(id: string) => boolean> {
  const held = new Set((await soon("the list of locks", navigator.locks.query())).held!.map((lock) => lock.name));
  return (id) => held.has(lockOf(id));
}

const lockOf = (id: string) => `${folderName} ${id}`;

/** A file for each, in the origin private file system. A worker writes it, as only there something can be added to one at once. */
const files: Disk = {
  async open(id) {
    await soon("the file system", folder()); // if it cannot be read, it is not to be written
    let size = 0;
    let writer = await Writer.start(id, size);
    const ask = async (message: Blob | number) => {
      if (writer.ended) writer = await released(() => Writer.start(id, size));
      await writer.ask(message);
    };
    return {
      append: (bytes) => ask(bytes).then(() => void (size += bytes.size)),
      hasSpace: (bytes) => ask(bytes).then(() => true, (error) => error.name !== "QuotaExceededError"),
      async close() {
        if (!writer.ended) await writer.ask(null).finally(() => writer.end());
      },
    };
  },

  ids: () => soon("the file system", list()),

  read: (id) => soon("the file system", folder().then((f) => f.getFileHandle(id)).then((file) => file.getFile())),

  delete: (id) => soon("the file system", released(() => remove(id))),
};

const folder = async () => (await navigator.storage.getDirectory()).getDirectoryHandle(folderName, { create: true });

async function list(): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of ((await folder()) as unknown as { keys(): AsyncIterable<string> }).keys()) ids.push(id);
  return ids;
}

async function remove(id: string): Promise<void> {
  await (await folder()).removeEntry(id).catch((error) => {
    if (error.name !== "NotFoundError") throw error;
  });
}

/** Does something with a file, once the browser has ended a worker that had it: one that stands still only after two seconds. */
async function released<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 40; ; tries--) {
    try {
      return await act();
    } catch (error) {
      if ((error as Error).name !== "NoModificationAllowedError" || tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The worker that writes a file. */
class Writer {
  /** Whether it answers no more, so that what was flushed last is where another has to go on. */
  ended = false;
  readonly #worker: Worker;
  #answered!: (failure: { name: string; message: string } | null) => void;
  #failed!: (reason: Error) => void;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#answered(data);
    worker.addEventListener("messageerror", () => this.#failed(new Error("the worker's answer cannot be read")));
    worker.onerror = (event) => {
      event.preventDefault(); // it is no error of the page
      this.#failed(new Error(event.message || "the Content-Security-Policy forbids the worker"));
    };
  }

  /** Starts one that has the file to itself, and writes it from an offset on. */
  static async start(id: string, from: number): Promise<Writer> {
    const address = URL.createObjectURL(new Blob([`(${writeFile})()`], { type: "text/javascript" }));
    try {
      const writer = new Writer(new Worker(address));
      await writer.ask(JSON.stringify([folderName, id, from])).catch((error) => {
        writer.end();
        throw error;
      });
      return writer;
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /** Asks for what `writeFile` says, one thing after the other. A worker that does not answer is ended. */
  async ask(message: string | Blob | number | null): Promise<void> {
    const answer = new Promise<{ name: string; message: string } | null>((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#worker.postMessage(message);
    });
    const failure = await soon("the worker that writes to disk", answer).catch((error) => {
      this.end();
      throw error;
    });
    if (failure) throw new DOMException(failure.message, failure.name);
  }

  end(): void {
    this.ended = true;
    this.#worker.terminate();
  }
}

/** What a worker has that types of pages lack. */
interface AccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** The whole script of the worker: nothing of this file is there. It is told where the file is and from where on to write it, then what to add, or for how much there should be space, then null. */
function writeFile(): void {
  let folderName: string;
  let file: AccessHandle;
  let size = 0;
  const open = async (folder: FileSystemDirectoryHandle, name: string, create: boolean) => {
    const handle = (await folder.getFileHandle(name, { create })) as unknown as { createSyncAccessHandle(): Promise<AccessHandle> };
    return handle.createSyncAccessHandle();
  };
  const failed = ({ name, message }: Error) => postMessage({ name, message });
  addEventListener("messageerror", () => failed(new Error("the worker cannot read what it was sent")));
  addEventListener("message", async ({ data }: MessageEvent<string | Blob | number | null>) => {
    try {
      if (typeof data === "string") {
        let id;
        [folderName, id, size] = JSON.parse(data);
        file = await open(await (await navigator.storage.getDirectory()).getDirectoryHandle(folderName, { create: true }), id, size === 0);
        if ((await file.getSize()) < size) throw new DOMException("what was written is not there any more", "NotFoundError");
      } else if (typeof data === "number") {
        // navigator.storage.estimate() does not say it: Chromium answers 10 GiB, whatever there
        // is. Another file is made that long, so that no crash leaves zeros in the recording's.
        const root = await navigator.storage.getDirectory();
        const other = await open(root, `${folderName}-space`, true);
        try {
          await other.truncate(data);
        } finally {
          await other.truncate(0);
          await other.close();
          await root.removeEntry(`${folderName}-space`);
        }
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
      failed(error as Error);
    }
  });
}

/** Records of a database, by id and offset. */
const database: Disk = {
  async open(id) {
    let db: IDBDatabase | null = await connect();
    let size = 0;
    return {
      async append(bytes) {
        try {
          db ??= await reconnect(id, size);
          await committed(db, (store) => store.put(bytes, [id, size]));
          size += bytes.size;
        } catch (error) {
          db?.close(); // if it was not already, as another tab deletes the database
          db = null;
          throw error;
        }
      },
      async hasSpace(bytes) {
        const { quota = Infinity, usage = 0 } = await soon("the estimate of space", navigator.storage.estimate()).catch(() => ({}) as StorageEstimate);
        return quota - usage >= bytes;
      },
      close: async () => db?.close(),
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

export const disks = [files, database];

async function connect(): Promise<IDBDatabase> {
  const request = indexedDB.open(folderName);
  request.onupgradeneeded = () => request.result.createObjectStore(folderName);
  const connection = result(request).then((db) => {
    db.onversionchange = () => db.close(); // another tab may delete it
    return db;
  });
  return soon("IndexedDB", connection).catch((error) => {
    connection.then((db) => db.close(), () => {}); // should it come yet
    throw error;
  });
}

/** Connects where the first bytes of a log should be there, if it has any. */
async function reconnect(id: string, size: number): Promise<IDBDatabase> {
  const db = await connect();
  try {
    const store = db.transaction(folderName).objectStore(folderName);
    if (size > 0 && (await soon("IndexedDB", result(store.count([id, 0])))) === 0) throw new DOMException("what was written is not there any more", "NotFoundError");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

async function connected<T>(act: (db: IDBDatabase) => Promise<T>): Promise<T> {
  const db = await connect();
  try {
    return await soon("IndexedDB", act(db));
  } finally {
    db.close();
  }
}

function committed(db: IDBDatabase, change: (store: IDBObjectStore) => void): Promise<void> {
  const transaction = db.transaction(folderName, "readwrite", { durability: "strict" });
  const done = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("IndexedDB has aborted the transaction", "AbortError"));
    change(transaction.objectStore(folderName));
  });
  return soon("IndexedDB", done).catch((error) => {
    if (error.name === "TimeoutError") transaction.abort();
    throw error;
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
