// The copies of recordings that crashed or closed pages have left on disk.

import type { repair, Repaired } from "./files.js";
import { disks, locked, type Disk } from "./media/disk.js";
import type { JobOptions } from "./media/plan.js";

/** What stands before the media, as a line of JSON. @internal */
export interface Facts {
  /** In milliseconds since 1970. */
  begun: number;
  name: string;
  type: string;
}

/** In how many bytes the line of facts ends at the latest. */
const factsLength = 8 << 10;

/** Resolves when what was closed in this page is closed. */
let closed: Promise<unknown> = Promise.resolve();

/** Says that a copy is being closed, to be found afterwards. @internal */
export function closing(done: Promise<unknown>): void {
  closed = Promise.all([closed, done]).then(() => {});
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
    const isLocked = await locked(); // later than ids, as locks are taken first
    for (const id of ids) {
      if (isLocked(id)) continue;
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
