// Byte arrays: joining, reading and mending them.

import { WebmendError } from "./error.js";

export type Bytes = Uint8Array<ArrayBuffer>;

/** Pieces as one, a copy. */
export function joined(parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A header as it must be, of which the first byte may be lost: a first blob of that alone is easily taken for nothing. */
export function mended(header: Bytes): Bytes {
  return header[0] === 0x45 ? joined([Uint8Array.of(0x1a), header]) : header;
}

export function fromHex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** The bytes of a Blob. What it is called goes into the error, of code `read`. */
export async function read(blob: Pick<Blob, "arrayBuffer">, name: string, offset = 0): Promise<Bytes> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new WebmendError({ code: "read", message: `webmend: ${name} could not be read: ${cause}`, offset }, { cause });
  }
}
