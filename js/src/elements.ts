// An element as a line of text, in the way of mkvinfo.

import type { Element } from "./types.js";

/** Returns a function that makes the line of each element of a stream, in order. */
export function elementLine(hex: boolean): (element: Element) => string {
  // Blocks have their time relative to their cluster's, in ticks.
  let scale = 1e6;
  let timestamp = 0n;
  return (element) => {
    const bytes = Uint8Array.from(element.data.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    if (element.name === "TimestampScale") scale = Number(uint(bytes));
    if (element.name === "Timestamp") timestamp = uint(bytes);
    const isBlock = element.name === "SimpleBlock" || element.name === "Block";
    const value = isBlock ? block(element, bytes, timestamp, scale) : format(element, bytes);
    const size = element.size < 0 ? "size unknown" : `size ${element.size}`;
    const line = `${"  ".repeat(element.level)}${element.name} at ${element.offset}, ${size}${value && `: ${value}`}`;
    return hex ? `${head(element).padEnd(26)}${line}` : line;
  };
}

/** The bytes of an element's ID and size. */
function head({ id, headLength, size }: Element): string {
  const idText = id.toString(16);
  const width = headLength - idText.length / 2;
  const marker = 1n << BigInt(7 * width);
  const data = size < 0 ? marker - 1n : BigInt(size);
  return `${idText} ${(marker | data).toString(16).padStart(2 * width, "0")}`;
}

function format(element: Element, bytes: Uint8Array): string {
  const whole = bytes.length === element.size;
  switch (element.type) {
    case "uinteger":
      return String(uint(bytes));
    case "integer":
      return String(BigInt.asIntN(8 * bytes.length, uint(bytes)));
    case "float":
      return String(float(bytes));
    case "string":
    case "utf-8": {
      const end = bytes.indexOf(0);
      const text = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
      return JSON.stringify(text) + (whole ? "" : "…");
    }
    case "date": // nanoseconds since the start of 2001
      return new Date(Date.UTC(2001) + Number(BigInt.asIntN(64, uint(bytes)) / 1_000_000n)).toISOString();
    case "binary":
      return element.name === "Void" ? "" : some(bytes, element.size);
  }
  return "";
}

function block(element: Element, bytes: Uint8Array, timestamp: bigint, scale: number): string {
  const n = Math.clz32(bytes[0] ?? 0) - 23; // octets of the track number
  if (bytes.length < n + 3) return "too short";
  const track = uint(bytes.subarray(0, n)) & ((1n << BigInt(7 * n)) - 1n);
  const relative = BigInt.asIntN(16, uint(bytes.subarray(n, n + 2)));
  const flags = bytes[n + 2]!;
  const ticks = timestamp + relative;
  const facts = [`track ${track}`, `timestamp ${ticks} (${((Number(ticks) * scale) / 1e9).toFixed(3)} s)`];
  if (element.name === "SimpleBlock" && flags & 0x80) facts.push("key frame");
  if (flags & 0x08) facts.push("invisible");
  if (element.name === "SimpleBlock" && flags & 0x01) facts.push("discardable");
  const lacing = [null, "Xiph", "fixed-size", "EBML"][(flags & 0x06) >> 1];
  if (lacing) facts.push(`${(bytes[n + 3] ?? 0) + 1} frames with ${lacing} lacing`);
  return facts.join(", ");
}

function uint(bytes: Uint8Array): bigint {
  return bytes.reduce((v, byte) => (v << 8n) | BigInt(byte), 0n);
}

function float(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0);
  if (bytes.length === 8) return view.getFloat64(0);
  return bytes.length === 0 ? 0 : NaN;
}

/** The first bytes in hexadecimal. */
function some(bytes: Uint8Array, size: number): string {
  const text = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return size > 16 ? `${text} … (${size} bytes)` : text;
}
