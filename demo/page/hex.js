// The bytes of a file in hexadecimal, coloured by element. Only what is in sight
// exists and is read.

import { count } from "./format.js";
import { VirtualList } from "./virtual-list.js";

const pageLength = 64 << 10; // bytes that are read at once
const pagesKept = 32;
const partNames = { id: "ID", size: "size", block: "block header", data: "data" };

export class HexView {
  #box;
  #list;
  #onSelect;
  #onProblem;
  #elements;
  #blob = new Blob();
  #starts = []; // where chunks begin
  #pages = new Map(); // bytes, or null while they are being read or cannot be
  #columns = 16;
  #cursor = 0;
  #selected = { start: 0, end: 0 };

  /**
   * @param {HTMLElement} box of role grid
   * @param {(index: number, offset: number) => void} onSelect is told of the byte that a person selects, and the element it is in or -1
   * @param {(error: Error) => void} onProblem is told when bytes cannot be read
   */
  constructor(box, onSelect, onProblem) {
    this.#box = box;
    this.#onSelect = onSelect;
    this.#onProblem = onProblem;
    this.#list = new VirtualList(box, () => this.#makeRow(), (row, i) => this.#show(row, i));
    box.onclick = (event) => this.#click(event);
    box.onkeydown = (event) => this.#key(event);
    new ResizeObserver(() => this.#fit()).observe(box);
  }

  /** Shows other bytes. */
  reset(blob, elements, starts) {
    this.#blob = blob;
    this.#elements = elements;
    this.#starts = new Set(starts);
    this.#pages.clear();
    this.#cursor = 0;
    this.#selected = { start: 0, end: 0 };
    this.#fit(true);
    this.#list.reveal(0);
  }

  /** Marks the bytes of an element, and brings them into sight. */
  select(i) {
    const start = this.#elements.offset(i);
    this.#mark(i);
    this.goTo(start);
  }

  /** Brings a byte into sight. */
  goTo(offset) {
    this.#cursor = Math.max(0, Math.min(offset, this.#blob.size - 1));
    this.#box.setAttribute("aria-activedescendant", `byte-${this.#cursor}`);
    this.#list.reveal(Math.floor(this.#cursor / this.#columns));
  }

  /** Draws what is in sight anew, as more elements are known. */
  draw() {
    this.#list.draw();
  }

  #mark(i) {
    if (i < 0) {
      this.#selected = { start: 0, end: 0 };
      return;
    }
    this.#selected = { start: this.#elements.offset(i), end: this.#elements.end(i) };
  }

  /** As many bytes a row as there is room for. */
  #fit(anew = false) {
    const columns = parseInt(getComputedStyle(this.#box).getPropertyValue("--columns"));
    if (columns !== this.#columns || anew) {
      this.#columns = columns;
      this.#list.length = Math.ceil(this.#blob.size / columns);
      if (this.#blob.size > 0 && !anew) this.#list.reveal(Math.floor(this.#cursor / columns));
    }
  }

  #makeRow() {
    const row = document.createElement("div");
    row.role = "row";
    row.className = "row";
    const address = document.createElement("span");
    address.className = "address";
    address.role = "rowheader";
    row.address = address;
    row.bytes = Array.from({ length: 16 }, () => span("gridcell"));
    row.text = Array.from({ length: 16 }, () => span("presentation"));
    const text = document.createElement("span");
    text.className = "text";
    text.ariaHidden = "true";
    text.append(...row.text);
    row.append(address, ...row.bytes, text);
    return row;
  }

  #show(row, i) {
    row.index = i;
    row.ariaRowIndex = i + 1;
    const start = i * this.#columns;
    row.address.textContent = start.toString(16).padStart(8, "0");
    const bytes = this.#read(start);
    let region = { end: -1 };
    for (let k = 0; k < 16; k++) {
      const at = start + k;
      const cell = row.bytes[k];
      const text = row.text[k];
      cell.hidden = text.hidden = k >= this.#columns;
      if (cell.hidden) continue;
      const there = at < this.#blob.size;
      const byte = bytes?.[at % pageLength];
      if (there && at >= region.end) region = this.#elements.region(at);
      const look = there ? this.#look(at, region) : "";
      if (cell.className !== look) cell.className = text.className = look;
      cell.textContent = !there ? "" : byte === undefined ? "··" : byte.toString(16).padStart(2, "0");
      text.textContent = !there ? "" : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";
      if (at === this.#cursor && there) {
        cell.id = `byte-${at}`;
        cell.ariaLabel = this.#words(at, cell.textContent, region);
      } else if (cell.id) {
        cell.removeAttribute("id");
        cell.ariaLabel = null;
      }
    }
  }

  #look(at, { index, part }) {
    const names = ["byte"];
    if (index >= 0) names.push(`kind-${this.#elements.kind(index)}`, `part-${part}`);
    if (this.#elements.isDropped(at)) names.push("dropped");
    if (this.#starts.has(at)) names.push("chunk");
    if (at >= this.#selected.start && at < this.#selected.end) names.push("selected");
    if (at === this.#cursor) names.push("cursor");
    return names.join(" ");
  }

  #words(at, hex, { index, part }) {
    const what = index < 0 ? "no element" : `${partNames[part]} of ${this.#elements.name(index)} at ${count(this.#elements.offset(index))}`;
    return `${hex} at ${count(at)}: ${what}${this.#starts.has(at) ? ", a chunk begins" : ""}`;
  }

  /** The page of bytes that an offset is in, once it has come. */
  #read(offset) {
    const k = Math.floor(offset / pageLength);
    if (!this.#pages.has(k)) {
      this.#pages.set(k, null);
      if (this.#pages.size > pagesKept) this.#pages.delete(this.#pages.keys().next().value);
      this.#load(k, this.#blob);
    }
    return this.#pages.get(k);
  }

  async #load(k, blob) {
    try {
      const bytes = new Uint8Array(await blob.slice(k * pageLength, (k + 1) * pageLength).arrayBuffer());
      if (blob !== this.#blob) return;
      this.#pages.set(k, bytes);
      this.#list.draw();
    } catch (error) {
      if (blob === this.#blob) this.#onProblem(error);
    }
  }

  #click(event) {
    const row = event.target.closest(".row");
    if (!row) return;
    const k = [...row.bytes.keys()].find((k) => row.bytes[k] === event.target || row.text[k] === event.target);
    if (k !== undefined) this.#choose(row.index * this.#columns + k);
  }

  #choose(offset) {
    if (offset < 0 || offset >= this.#blob.size) return;
    const index = this.#elements.at(offset);
    this.#mark(index);
    this.goTo(offset);
    this.#onSelect(index, offset);
  }

  #key(event) {
    if (event.altKey || event.metaKey || this.#blob.size === 0) return;
    const last = this.#blob.size - 1;
    const inRow = this.#cursor % this.#columns;
    const to = {
      ArrowLeft: this.#cursor - 1,
      ArrowRight: this.#cursor + 1,
      ArrowUp: this.#cursor - this.#columns,
      ArrowDown: this.#cursor + this.#columns,
      PageUp: Math.max(inRow, this.#cursor - this.#list.page * this.#columns),
      PageDown: Math.min(last, this.#cursor + this.#list.page * this.#columns),
      Home: event.ctrlKey ? 0 : this.#cursor - inRow,
      End: event.ctrlKey ? last : Math.min(last, this.#cursor - inRow + this.#columns - 1),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#choose(to);
  }
}

function span(role) {
  const cell = document.createElement("span");
  cell.role = role;
  return cell;
}
