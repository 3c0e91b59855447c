// Files or database records of the browser that outlive the page, and their locks.

/** Bytes that are only ever added to, on disk. */
export interface Log {
  /** Resolves when the bytes are on disk. What is rejected can be tried again. */
  append(bytes: Blob): Promise<void>;
  /** Whether there is space for as many bytes more, as far as the browser tells. */
  hasSpace(bytes: number): Promise<boolean>;
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

/** Takes the lock of an id, which the browser lets go of when the page is gone, and returns what lets go of it. */
export function lock(id: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const over: Promise<void> = navigator.locks.request(lockOf(id), () => {
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

/** Returns a function that tells whether a page has the lock of an id. */
export async function locked(): Promise<(id: string) => boolean> {
  const held = new Set((await navigator.locks.query()).held!.map((lock) => lock.name));
  return (id) => held.has(lockOf(id));
}

const lockOf = (id: string) => `${folderName} ${id}`;

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
      hasSpace: (bytes) => call(bytes).then(() => true, (error) => error.name !== "QuotaExceededError"),
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
  let folderName: string;
  let file: AccessHandle;
  let size = 0;
  const open = async (folder: FileSystemDirectoryHandle, name: string) => {
    const handle = (await folder.getFileHandle(name, { create: true })) as unknown as { createSyncAccessHandle(): Promise<AccessHandle> };
    return handle.createSyncAccessHandle();
  };
  addEventListener("message", async ({ data }: MessageEvent<string | Blob | number | null>) => {
    try {
      if (typeof data === "string") {
        let id;
        [folderName, id] = JSON.parse(data);
        file = await open(await (await navigator.storage.getDirectory()).getDirectoryHandle(folderName, { create: true }), id);
      } else if (typeof data === "number") {
        // navigator.storage.estimate() does not say it: Chromium answers 10 GiB, whatever there
        // is. Another file is made that long, so that no crash leaves zeros in the recording's.
        const root = await navigator.storage.getDirectory();
        const other = await open(root, `${folderName}-space`);
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

export const disks = [files, database];

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
