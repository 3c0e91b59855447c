// What the caller gives as a Blob or bytes: known by what it can do or by its brand, as it may be
// of another realm, such as a frame's, or of another implementation, such as jsdom's.

import type { Bytes } from "./bytes.js";
import { check } from "./error.js";

/** What a chunk may be: what `dataavailable` gives, or bytes from anywhere. */
export type Chunk = Blob | ArrayBufferLike | ArrayBufferView;

/**
 * What a file may be: a Blob or its bytes, a Response that has it as its body, or a list of
 * Blobs and bytes, the chunks of one stream in order. A promise of any of these is waited for.
 */
export type FileSource = Chunk | Response | Iterable<Chunk> | PromiseLike<Chunk | Response | Iterable<Chunk>>;

/**
 * A chunk that nobody else changes: bytes are copied. A Blob of another implementation can be
 * read, but be no part of another: see gather.ts.
 *
 * @internal
 */
export function own(chunk: unknown, name = "a chunk"): Blob | Bytes {
  const owned = isBlob(chunk) ? chunk : view(chunk)?.slice();
  check(owned, `${name} must be a Blob or bytes that were not transferred`);
  return owned;
}

/** @internal */
export function isBlob(value: unknown): value is Blob {
  return Object(value).size >= 0 && "slice" in (value as Blob);
}

/** @internal */
export const sizeOf = (chunk: Blob | Bytes) => (ArrayBuffer.isView(chunk) ? chunk.length : chunk.size);

/** The bytes of what has some, unless they were transferred. @internal */
export function view(value: unknown): Bytes | undefined {
  const { buffer = value, byteOffset, byteLength } = Object(value) as ArrayBufferView<ArrayBuffer>;
  try {
    if (byteLength >= 0) return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  } catch {}
  return undefined;
}
