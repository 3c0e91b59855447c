// Makes one Blob of this realm of whatever a file is given as.

import { isBlob, own, view } from "./blobs.js";
import { read } from "./bytes.js";
import { check, WebmendError } from "./error.js";

/** How much of a Blob of another implementation is read at once. */
const pieceLength = 4 << 20;

/**
 * A Blob that can be part of another and go to a worker: one of another implementation is copied.
 * Rejects with a WebmendError of code `read`.
 *
 * @internal
 */
export async function native(blob: Blob): Promise<Blob> {
  try {
    Reflect.get(Blob.prototype, "size", blob); // throws for another implementation's, not for another realm's
    return blob;
  } catch {}
  const pieces: Blob[] = [];
  for (let at = 0; at < blob.size; at += pieceLength) {
    const piece = blob.slice(at, at + pieceLength);
    pieces.push(new Blob([await read(readable(piece), `the Blob at ${at}`)]));
  }
  return new Blob(pieces, { type: blob.type });
}

/** What reads a Blob: itself or, if it has no `arrayBuffer`, as in jsdom, a FileReader. @internal */
export function readable(blob: Blob): Pick<Blob, "arrayBuffer"> {
  if (blob.arrayBuffer as unknown) return blob;
  const arrayBuffer = () =>
    new Promise<ArrayBuffer>((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result as ArrayBuffer);
      reader.onerror = () => reject(reader.error);
      reader.readAsArrayBuffer(blob);
    });
  return { arrayBuffer };
}

/** A file in one Blob, and where its chunks begin. Rejects with a WebmendError that has the name. @internal */
export async function gather(given: unknown, name: string): Promise<{ file: Blob; starts: number[] }> {
  let value = await given;
  if (brand(value) === "Response") value = await body(value as Response, name);
  const isOne = isBlob(value) || view(value);
  check(isOne || isList(value), `${name} must be a Blob, bytes, a Response, or a list of Blobs and bytes, not ${brand(value)}`);
  const chunks = isOne ? [value] : [...(value as Iterable<unknown>)];
  const owned = chunks.map((chunk, i) => own(chunk, isOne ? name : `chunk ${i + 1} of ${name}`));
  const blobs = await Promise.all(owned.map((chunk) => native(ArrayBuffer.isView(chunk) ? new Blob([chunk]) : chunk)));
  let size = 0;
  const starts = blobs.map((blob) => (size += blob.size) - blob.size);
  return { file: blobs.length === 1 ? blobs[0]! : new Blob(blobs), starts };
}

/** What kind of object something says it is: `Blob`, `ArrayBuffer`, `Response`. @internal */
export function brand(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Whether it is a list, such as an array or a FileList. @internal */
export function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value && !ArrayBuffer.isView(value);
}

async function body(response: Response, name: string): Promise<Blob> {
  try {
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
    return await response.blob();
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

const unreadable = (name: string, cause: unknown) => new WebmendError({ code: "read", message: `webmend: ${name} could not be read: ${cause}` }, { cause });
