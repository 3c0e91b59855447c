// The elements of a file, a million of them and more: a column of numbers for each
// thing that is known, and text only where an element has a value to show.

import { blockValue, elementValue } from "./dist/inspect.js";

/** What bytes are coloured by: the part of the file that an element belongs to, and of a block its track. */
const kinds = ["structure", "info", "tracks", "index", "cluster", "video", "audio", "other"];

const kindOf = new Map(
  Object.entries({
    EBML: "structure",
    Segment: "structure",
    Info: "info",
    Tags: "info",
    Chapters: "info",
    Attachments: "info",
    Tracks: "tracks",
    SeekHead: "index",
    Cues: "index",
    Cluster: "cluster",
    Void: "other",
    "CRC-32": "other",
  }).map(([name, kind]) => [name, kinds.indexOf(kind)]),
);

const flags = { keyframe: 1, invisible: 2, discardable: 4 };
const lacings = ["none", "Xiph", "fixed-size", "EBML"];

export class ElementList {
  length = 0;
  /** How far it is known what elements there are, in bytes of the file. */
  known = 0;
  /** What the file's report has as dropped, in order. */
  dropped = [];
  blocks = new BlockList();
  /** Seconds, by the index of a Cluster. */
  times = new Map();
  /** The index of each Cluster, in order. */
  clusters = [];
  #facts = new Map(); // by ID: the name and the type
  #columns = new Columns({
    id: Uint32Array,
    offset: Float64Array,
    size: Float64Array,
    head: Uint8Array,
    level: Uint8Array,
    kind: Uint8Array,
    parent: Int32Array,
    next: Uint32Array, // the index after its last descendant; 0 while that may still come
    children: Uint32Array,
    ordinal: Uint32Array, // among its siblings, from 1
  });
  #values = [];
  #open = []; // masters that more may come for: { level, index }
  #types = new Map(); // by track number, of the recording that it is at
  #scale = 1e6;
  #referring = -1; // the last BlockGroup with a ReferenceBlock
  #roots = 0;

  /** Takes in the tracks of a recording, whose elements come next. */
  header({ tracks, timestampScale }) {
    this.#types = new Map(tracks.map(({ number, type }) => [number, type]));
    this.#scale = timestampScale;
  }

  /** Takes in elements in the order of the file. */
  push(elements) {
    for (const element of elements) this.#push(element);
  }

  #push(element) {
    const i = this.length;
    this.#columns.reserve(i + 1);
    const c = this.#columns.of;
    while (this.#open.length > 0 && this.#open.at(-1).level >= element.level) c.next[this.#open.pop().index] = i;
    const parent = this.#open.at(-1)?.index ?? -1;
    const { id, name, type, offset, size, headLength } = element;
    if (!this.#facts.has(id)) this.#facts.set(id, { name, type });
    c.id[i] = id;
    c.offset[i] = offset;
    c.size[i] = size;
    c.head[i] = headLength;
    c.level[i] = parent < 0 ? 0 : c.level[parent] + 1;
    c.parent[i] = parent;
    c.children[i] = 0;
    c.ordinal[i] = parent < 0 ? ++this.#roots : ++c.children[parent];
    c.kind[i] = kindOf.get(name) ?? (parent < 0 ? kinds.indexOf("other") : c.kind[parent]);
    if (type === "master") {
      c.next[i] = 0;
      this.#open.push({ level: element.level, index: i });
    } else {
      c.next[i] = i + 1;
    }
    this.length++;
    this.known = offset + headLength + (type === "master" ? 0 : size);
    if (name === "Cluster") this.clusters.push(i);
    if (element.block) this.#pushBlock(i, parent, element);
    else if (type !== "master") this.#values[i] = elementValue(element) || undefined;
    if (name === "Timestamp" && parent >= 0) this.times.set(parent, (Number(this.#values[i]) * this.#scale) / 1e9);
    if (name === "ReferenceBlock") {
      this.#referring = parent;
      this.blocks.refers(parent);
    }
  }

  #pushBlock(i, parent, { name, block }) {
    const type = this.#types.get(block.track);
    this.#columns.of.kind[i] = kinds.indexOf(type === "video" || type === "audio" ? type : "other");
    const grouped = name === "Block";
    // A Block has no flag: it is a key frame if its group refers to no other.
    const keyframe = grouped ? this.#referring !== parent : block.keyframe;
    this.blocks.push(i, grouped ? parent : -1, this.clusters.length, { ...block, keyframe });
  }

  id(i) {
    return this.#columns.of.id[i];
  }

  name(i) {
    return this.#facts.get(this.id(i)).name;
  }

  isMaster(i) {
    return this.#facts.get(this.id(i)).type === "master";
  }

  /** The names of what there is, with their IDs. */
  get names() {
    return [...this.#facts].map(([id, { name }]) => ({ id, name }));
  }

  offset(i) {
    return this.#columns.of.offset[i];
  }

  /** Bytes of its data, -1 if that is not known. */
  size(i) {
    return this.#columns.of.size[i];
  }

  /** Bytes of its ID and size. */
  headLength(i) {
    return this.#columns.of.head[i];
  }

  level(i) {
    return this.#columns.of.level[i];
  }

  kind(i) {
    return kinds[this.#columns.of.kind[i]];
  }

  /** The index of its parent, or -1. */
  parent(i) {
    return this.#columns.of.parent[i];
  }

  children(i) {
    return this.#columns.of.children[i];
  }

  ordinal(i) {
    return this.#columns.of.ordinal[i];
  }

  /** How many siblings it has, and itself. */
  siblings(i) {
    const parent = this.parent(i);
    return parent < 0 ? this.#roots : this.children(parent);
  }

  /** The index after its last descendant. */
  next(i) {
    return this.#columns.of.next[i] || this.length;
  }

  /** What it says; of a block the most important, if that is to be short. */
  value(i, short = false) {
    const block = this.blocks.of(i);
    if (block >= 0) return short ? this.blocks.short(block) : this.blocks.value(block);
    if (this.times.has(i)) return `${this.times.get(i).toFixed(3)} s`;
    return this.#values[i] ?? "";
  }

  /** Where it ends: of unknown size, where what follows begins. */
  end(i) {
    const next = this.next(i);
    const bound = next < this.length ? this.offset(next) : this.known;
    if (this.size(i) >= 0) return Math.min(this.offset(i) + this.headLength(i) + this.size(i), bound);
    const last = this.offset(next - 1);
    return Math.min(bound, this.dropped.find((d) => d.start > last)?.start ?? bound);
  }

  /** The elements around it and itself, from the root on. */
  path(i) {
    const path = [];
    for (; i >= 0; i = this.parent(i)) path.unshift(i);
    return path;
  }

  /** The index of the innermost element that has a byte, or -1. */
  at(offset) {
    let i = lastAtMost(this.length, (k) => this.offset(k), offset);
    while (i >= 0 && offset >= this.end(i)) i = this.parent(i);
    return i;
  }

  /**
   * What a byte is: the index of its element, whether it is of its `id`, its `size`, the
   * head of a `block` or other `data`, and where that part ends. The index is -1 where
   * there is no element.
   */
  region(offset) {
    const before = lastAtMost(this.length, (k) => this.offset(k), offset);
    const following = before + 1 < this.length ? this.offset(before + 1) : this.known;
    const i = this.at(offset);
    if (i < 0) return { index: -1, part: "", end: following };
    const start = this.offset(i);
    const data = start + this.headLength(i);
    const idEnd = start + idLength(this.id(i));
    if (offset < idEnd) return { index: i, part: "id", end: idEnd };
    if (offset < data) return { index: i, part: "size", end: data };
    const block = this.blocks.of(i);
    const frames = block < 0 ? data : data + this.blocks.headLength(block);
    if (offset < frames) return { index: i, part: "block", end: frames };
    return { index: i, part: "data", end: Math.min(this.end(i), following) };
  }

  /** Whether a byte is in what the report has as dropped. */
  isDropped(offset) {
    const k = lastAtMost(this.dropped.length, (d) => this.dropped[d].start, offset);
    return k >= 0 && offset < this.dropped[k].end;
  }
}

/** The blocks among the elements. */
class BlockList {
  length = 0;
  #columns = new Columns({
    element: Uint32Array,
    cluster: Uint32Array, // its number, from 1
    track: Float64Array,
    timestamp: Float64Array,
    time: Float64Array,
    flags: Uint8Array,
    lacing: Uint8Array,
    frames: Uint16Array,
  });
  #group = -1; // the BlockGroup of the last

  push(element, group, cluster, block) {
    const k = this.length++;
    this.#columns.reserve(this.length);
    const c = this.#columns.of;
    c.element[k] = element;
    c.cluster[k] = cluster;
    c.track[k] = block.track;
    c.timestamp[k] = block.timestamp;
    c.time[k] = block.time;
    c.frames[k] = block.frames;
    for (const flag in flags) if (block[flag]) c.flags[k] |= flags[flag];
    c.lacing[k] = lacings.indexOf(block.lacing);
    this.#group = group;
  }

  /** Says that what a BlockGroup has is no key frame. */
  refers(group) {
    if (this.length > 0 && this.#group === group) this.#columns.of.flags[this.length - 1] &= ~flags.keyframe;
  }

  /** The block that an element is, or -1. */
  of(element) {
    const k = lastAtMost(this.length, (b) => this.element(b), element);
    return k >= 0 && this.element(k) === element ? k : -1;
  }

  element(k) {
    return this.#columns.of.element[k];
  }

  /** The number of its Cluster, from 1. */
  cluster(k) {
    return this.#columns.of.cluster[k];
  }

  track(k) {
    return this.#columns.of.track[k];
  }

  /** Seconds. */
  time(k) {
    return this.#columns.of.time[k];
  }

  frames(k) {
    return this.#columns.of.frames[k];
  }

  lacing(k) {
    return lacings[this.#columns.of.lacing[k]];
  }

  is(flag, k) {
    return (this.#columns.of.flags[k] & flags[flag]) !== 0;
  }

  /** Bytes before the frames: the track number, the timestamp and the flags. */
  headLength(k) {
    let n = 1;
    for (let most = 127; this.track(k) >= most && n < 8; n++) most = most * 128 + 127;
    return n + 3;
  }

  short(k) {
    return `${this.time(k).toFixed(3)} s, track ${this.track(k)}${this.is("keyframe", k) ? ", key frame" : ""}`;
  }

  value(k) {
    return blockValue({
      track: this.track(k),
      timestamp: this.#columns.of.timestamp[k],
      time: this.time(k),
      keyframe: this.is("keyframe", k),
      invisible: this.is("invisible", k),
      discardable: this.is("discardable", k),
      lacing: this.lacing(k),
      frames: this.frames(k),
    });
  }
}

/** Columns of numbers that grow together. */
class Columns {
  /** The columns, by name. */
  of = {};
  #room = 1024;

  constructor(types) {
    for (const [name, Type] of Object.entries(types)) this.of[name] = new Type(this.#room);
  }

  reserve(length) {
    if (length <= this.#room) return;
    this.#room = Math.max(length, Math.ceil(this.#room * 1.5));
    for (const [name, column] of Object.entries(this.of)) {
      this.of[name] = new column.constructor(this.#room);
      this.of[name].set(column);
    }
  }
}

/** The octets of an ID. */
function idLength(id) {
  return id > 0xff_ffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;
}

/** Of numbers that rise, the index of the last that is at most a value, or -1. */
export function lastAtMost(length, number, value) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (number(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
