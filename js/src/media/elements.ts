// Describes elements in words, in the way of mkvinfo.

import { fromHex } from "../base/bytes.js";
import type { Element } from "../base/types.js";

/** What a SimpleBlock or a Block says before its frames. */
export interface BlockFacts {
  /** The number of its track. */
  track: number;
  /** Ticks from the beginning of the recording. */
  timestamp: number;
  /** Its timestamp in seconds. */
  time: number;
  /** Whether it has the flag; of a Block, which has none, false. */
  keyframe: boolean;
  invisible: boolean;
  discardable: boolean;
  lacing: "none" | "Xiph" | "fixed-size" | "EBML";
  /** How many frames it has: 1 without lacing. */
  frames: number;
}

/** An element of a stream, and what it says if it is a block. */
export interface InspectedElement extends Element {
  /** Of a SimpleBlock or a Block that is not too short for it. */
  block: BlockFacts | null;
}

/** Returns a function that adds to the elements of a stream, in order, what its blocks say. @internal */
export function inspector(): (element: Element) => InspectedElement {
  // Blocks have their time relative to their cluster's, in ticks.
  let scale = 1e6;
  let timestamp = 0n;
  return (element) => {
    if (element.name === "TimestampScale") scale = Number(uint(fromHex(element.data)));
    if (element.name === "Timestamp") timestamp = uint(fromHex(element.data));
    return Object.assign(element, { block: isBlock(element) ? block(element, timestamp, scale) : null });
  };
}

/** Returns a function that makes the line of each element of a stream, in order. @internal */
export function elementLine(hex: boolean): (element: Element) => string {
  const inspected = inspector();
  return (element) => {
    const value = elementValue(inspected(element));
    const size = element.size < 0 ? "size unknown" : `size ${element.size}`;
    const line = `${"  ".repeat(element.level)}${element.name} at ${element.offset}, ${size}${value && `: ${value}`}`;
    return hex ? `${head(element).padEnd(26)}${line}` : line;
  };
}

/** What the data of an element says, in words; `""` of a master and of Void. */
export function elementValue(element: InspectedElement): string {
  if (element.block) return blockValue(element.block);
  return isBlock(element) ? "too short" : format(element, fromHex(element.data));
}

/** What a block says before its frames, in words: `track 1, timestamp 42 (0.042 s), key frame`. */
export function blockValue({ track, timestamp, time, keyframe, invisible, discardable, lacing, frames }: BlockFacts): string {
  const facts = [`track ${track}`, `timestamp ${timestamp} (${time.toFixed(3)} s)`];
  if (keyframe) facts.push("key frame");
  if (invisible) facts.push("invisible");
  if (discardable) facts.push("discardable");
  if (lacing !== "none") facts.push(`${frames} frames with ${lacing} lacing`);
  return facts.join(", ");
}

function isBlock({ name }: Element): boolean {
  return name === "SimpleBlock" || name === "Block";
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

function block({ name, data }: Element, timestamp: bigint, scale: number): BlockFacts | null {
  const bytes = (i: number, n: number) => parseInt(data.slice(2 * i, 2 * (i + n)), 16);
  const n = Math.clz32(bytes(0, 1)) - 23; // octets of the track number
  if (data.length < 2 * (n + 3)) return null;
  const track = bytes(0, n) % 2 ** (7 * n); // without the marker before it
  const relative = (bytes(n, 2) << 16) >> 16;
  const flags = bytes(n + 2, 1);
  const ticks = Number(timestamp) + relative;
  const lacing = (["none", "Xiph", "fixed-size", "EBML"] as const)[(flags & 0x06) >> 1]!;
  return {
    track,
    timestamp: ticks,
    time: (ticks * scale) / 1e9,
    keyframe: name === "SimpleBlock" && (flags & 0x80) !== 0,
    invisible: (flags & 0x08) !== 0,
    discardable: name === "SimpleBlock" && (flags & 0x01) !== 0,
    lacing,
    frames: lacing === "none" ? 1 : (bytes(n + 3, 1) || 0) + 1,
  };
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
