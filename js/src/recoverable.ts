// The copies of recordings that crashed or closed pages have left on disk.

import { WebmendError } from "./base/error.js";
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

const newline = 10;

/** What an EBML header begins with, and with it a file of WebM. */
const ebml = [0x1a, 0x45, 0xdf, 0xa3];

/** No media ends in as many zeros: a block of silence in PCM can have 100 KB. */
const silence = 1 << 20;

/** How many of more zeros may be the media's own. */
const ownZeros = 64;

/** The last time that a Date can hold. */
const latest = 8.64e15;

/** Resolves when what was closed in this page is closed. */
let closed: Promise<unknown> = Promise.resolve();

/** Says that a copy is being closed, to be found afterwards. @internal */
export function closing(done: Promise<unknown>): void {
  closed = Promise.all([closed, done]).then(() => {});
}

/** Deletes what is on disk of a recording. Rejects with a WebmendError if that cannot be done. @internal */
export async function erase(disk: Disk, id: string): Promise<void> {
  await disk.delete(id).catch((cause) => {
    throw failed("what is on disk of the recording could not be deleted, and is still among Recording.recoverable()", cause);
  });
}

const failed = (what: string, cause: unknown) => new WebmendError({ code: "spool", message: `webmend: ${what}: ${cause}` }, { cause });

/**
 * What is left on disk of a recording that no page has open any more. Several pages may
 * find the same.
 */
export class Recoverable {
  /** Which it is: no other has the same. */
  readonly id: string;
  /** What the recording was called, in `spool`; `""` if that cannot be read any more. */
  readonly name: string;
  /** When it was made, or last written if that cannot be read any more. */
  readonly begun: Date;
  /** The media type that the recorder gave its first chunk; `""` if there was none, or it cannot be read any more. */
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
  repair(options?: JobOptions & { recordingIndex?: number | undefined }): Promise<Repaired> {
    return this.#repair(this.#blob, options);
  }

  /**
   * Deletes it, once it is safe elsewhere or not wanted. Rejects with a WebmendError of code
   * `spool` if the browser cannot.
   */
  delete(): Promise<void> {
    return erase(this.#disk, this.id);
  }
}

/** What no page has open, oldest first. One that cannot be read hides no other. @internal */
export async function recoverable(repairs: typeof repair): Promise<Recoverable[]> {
  await closed;
  const found = await Promise.all(disks.map((disk) => leftOn(disk, repairs)));
  return found.flat().sort((a, b) => Number(a.begun) - Number(b.begun));
}

async function leftOn(disk: Disk, repairs: typeof repair): Promise<Recoverable[]> {
  const ids = await disk.ids().catch(() => []);
  if (ids.length === 0) return [];
  // Later than ids, as locks are taken first.
  const isLocked = await locked().catch((cause) => {
    throw failed("the browser does not tell which of the recordings on disk are open in a page, so that none can be offered", cause);
  });
  const found = await Promise.all(ids.filter((id) => !isLocked(id)).map((id) => look(disk, id, repairs).catch(() => null)));
  return found.filter((left) => left !== null);
}

/** What is left of one recording, or null if that is nothing, which it deletes. */
async function look(disk: Disk, id: string, repairs: typeof repair): Promise<Recoverable | null> {
  const all = await disk.read(id);
  const { facts, start, end } = await understood(all).catch((error): Understood => {
    if (error.name === "NotFoundError") throw error; // another page has deleted it meanwhile
    return { facts: {}, start: 0, end: all.size }; // it may be read another time
  });
  const { begun, name, type } = facts;
  if (all.size === 0 || (start === end && isTime(begun) && isText(name) && isText(type))) {
    await disk.delete(id); // it ended before the first chunk
    return null;
  }
  const known: Facts = {
    begun: [begun, parseInt(id), (all as File).lastModified].find(isTime) ?? Date.now(),
    name: isText(name) ? name : "",
    type: isText(type) ? type : "",
  };
  return new Recoverable(disk, id, known, all.slice(start < end ? start : 0, end + ownZeros, known.type), repairs);
}

const isText = (value: unknown) => typeof value === "string";
const isTime = (value: unknown): value is number => Math.abs(value as number) <= latest && typeof value === "number";

interface Understood {
  facts: { [name in keyof Facts]?: unknown };
  start: number;
  end: number;
}

/** Finds the facts, as far as they can be read, and where the media begins and ends. */
async function understood(all: Blob): Promise<Understood> {
  const head = await bytesOf(all.slice(0, factsLength));
  const end = await written(all);
  const lineEnd = head.indexOf(newline) + 1;
  try {
    const facts = JSON.parse(new TextDecoder().decode(head.subarray(0, lineEnd)));
    if (facts && typeof facts === "object") return { facts, start: lineEnd, end };
  } catch {
    // A computer that loses power can leave zeros instead of the line, or half of it.
  }
  const header = head.findIndex((_, i) => ebml.every((byte, k) => head[i + k] === byte));
  return { facts: {}, start: header < 0 ? lineEnd : header, end };
}

/** Where a file ends, but for zeros if they are too many for media: space that was reserved and never written. */
async function written(all: Blob): Promise<number> {
  let end = all.size;
  for (let length = 4 << 10; end > 0; length = Math.min(2 * length, silence)) {
    const start = Math.max(0, end - length);
    const last = (await bytesOf(all.slice(start, end))).findLastIndex((byte) => byte !== 0);
    end = start + last + 1;
    if (last >= 0) break;
  }
  return all.size - end < silence ? all.size : end;
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
