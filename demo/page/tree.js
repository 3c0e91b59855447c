// The elements as a tree, of which only the rows in sight exist.

import { count, size } from "./format.js";
import { VirtualList } from "./virtual-list.js";

/** Open from the start: what one looks at first. */
const open = new Set(["Segment", "Info", "Tracks", "TrackEntry", "Video", "Audio"]);

export class Tree {
  #box;
  #elements;
  #list;
  #onSelect;
  #badge;
  #expanded = new Set();
  #filter = ""; // of names, or an ID
  #matching = new Map(); // by ID: whether the filter has it
  #rows = new Uint32Array(1024);
  #length = 0;
  #seen = 0; // elements that #rows takes into account
  #fresh = 0; // elements that have had the chance to be open from the start
  #shown = new Uint8Array(1024); // by element: whether it has a row
  #selected = -1;

  /**
   * @param {HTMLElement} box of role tree
   * @param {(i: number) => void} onSelect is told which element a person selects
   * @param {(start: number, end: number) => string} badge what to mark a row with that stands for these bytes
   */
  constructor(box, onSelect, badge) {
    this.#box = box;
    this.#onSelect = onSelect;
    this.#badge = badge;
    this.#list = new VirtualList(box, makeRow, (row, k) => this.#show(row, this.#rows[k]));
    box.onclick = (event) => this.#click(event);
    box.ondblclick = (event) => {
      if (!event.target.closest(".twisty")) this.#toggle(event.target.closest("[role=treeitem]")?.index ?? -1);
    };
    box.onkeydown = (event) => this.#key(event);
  }

  /** Shows other elements, and all of them. */
  reset(elements) {
    this.#elements = elements;
    this.#filter = "";
    this.#expanded.clear();
    this.#matching.clear();
    this.#selected = -1;
    this.#box.removeAttribute("aria-activedescendant");
    this.#rebuild();
  }

  /** Takes in the elements that are new. */
  extend() {
    const { length } = this.#elements;
    if (this.#rows.length < length) {
      this.#rows = grown(this.#rows, 2 * length);
      this.#shown = grown(this.#shown, 2 * length);
    }
    for (let i = this.#seen; i < length; i++) {
      if (this.#filter) {
        if (this.#matches(i)) for (const k of this.#elements.path(i)) if (!this.#shown[k]) this.#add(k);
        continue;
      }
      if (open.has(this.#elements.name(i)) && i >= this.#fresh) this.#expanded.add(i);
      const parent = this.#elements.parent(i);
      if (parent < 0 || (this.#shown[parent] && this.#expanded.has(parent))) this.#add(i);
    }
    this.#seen = length;
    this.#fresh = Math.max(this.#fresh, length);
    this.#list.length = this.#length;
  }

  /** How many rows there are. */
  get length() {
    return this.#length;
  }

  /** Shows only elements whose name has this in it, or whose ID is this, and what they are in. */
  set filter(text) {
    this.#filter = text.trim().toLowerCase();
    this.#matching.clear();
    this.#rebuild(false);
    if (this.#selected >= 0 && this.#shown[this.#selected]) this.#list.reveal(this.#row(this.#selected));
  }

  /** Selects an element and opens what it is in. */
  select(i) {
    this.#selected = i;
    if (i < 0) return this.#list.draw();
    const around = this.#elements.path(i).slice(0, -1);
    if (!this.#filter && around.some((k) => !this.#expanded.has(k))) {
      for (const k of around) this.#expanded.add(k);
      this.#rebuild(false);
    }
    if (this.#shown[i]) this.#list.reveal(this.#row(i));
    this.#box.setAttribute("aria-activedescendant", `element-${i}`);
    this.#list.draw();
  }

  /** Draws what is in sight anew. */
  draw() {
    this.#list.draw();
  }

  #rebuild(anew = true) {
    if (anew) this.#fresh = 0;
    this.#length = this.#seen = 0;
    this.#shown.fill(0);
    this.extend();
  }

  #add(i) {
    this.#rows[this.#length++] = i;
    this.#shown[i] = 1;
  }

  #matches(i) {
    const id = this.#elements.id(i);
    if (!this.#matching.has(id)) {
      const hex = id.toString(16);
      this.#matching.set(id, this.#elements.name(i).toLowerCase().includes(this.#filter) || hex === this.#filter.replace(/^0x/, ""));
    }
    return this.#matching.get(id);
  }

  /** The row of an element that has one. */
  #row(i) {
    let low = 0;
    let high = this.#length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#rows[middle] < i) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isOpen(i) {
    return this.#filter ? i + 1 < this.#elements.length && this.#shown[i + 1] === 1 && this.#elements.parent(i + 1) === i : this.#expanded.has(i);
  }

  #toggle(i, expand = !this.#expanded.has(i)) {
    if (i < 0 || this.#filter || !this.#elements.isMaster(i)) return;
    if (expand) this.#expanded.add(i);
    else this.#expanded.delete(i);
    this.#rebuild(false);
  }

  #choose(i) {
    this.select(i);
    this.#onSelect(i);
  }

  #click(event) {
    const row = event.target.closest("[role=treeitem]");
    if (!row) return;
    if (event.target.closest(".twisty")) this.#toggle(row.index);
    else this.#choose(row.index);
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || this.#length === 0) return;
    const i = this.#selected;
    const at = i >= 0 && this.#shown[i] ? this.#row(i) : -1;
    const go = (k) => this.#choose(this.#rows[Math.max(0, Math.min(k, this.#length - 1))]);
    const { page } = this.#list;
    switch (event.key) {
      case "ArrowDown":
        go(at + 1);
        break;
      case "ArrowUp":
        go(at - 1);
        break;
      case "PageDown":
        go(at + page);
        break;
      case "PageUp":
        go(at - page);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(this.#length - 1);
        break;
      case "ArrowRight":
        if (at < 0) go(0);
        else if (!this.#isOpen(i)) this.#toggle(i, true);
        else if (this.#elements.parent(this.#rows[at + 1]) === i) go(at + 1);
        break;
      case "ArrowLeft":
        if (at >= 0 && !this.#filter && this.#elements.isMaster(i) && this.#isOpen(i)) this.#toggle(i, false);
        else if (at >= 0 && this.#elements.parent(i) >= 0) this.#choose(this.#elements.parent(i));
        break;
      case "Enter":
      case " ":
        if (at >= 0) this.#toggle(i);
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #show(row, i) {
    const e = this.#elements;
    const isMaster = e.isMaster(i);
    const isOpen = isMaster && this.#isOpen(i);
    row.index = i;
    row.id = `element-${i}`;
    row.className = `row kind-${e.kind(i)}`;
    row.classList.toggle("dropped", e.isDropped(e.offset(i)));
    row.style.setProperty("--level", e.level(i));
    row.ariaLevel = e.level(i) + 1;
    row.ariaSelected = i === this.#selected;
    row.ariaExpanded = isMaster ? isOpen : null;
    row.ariaSetSize = e.siblings(i);
    row.ariaPosInSet = e.ordinal(i);
    const [name, value, badge, id, offset, bytes] = row.cells;
    name.textContent = e.name(i);
    value.textContent = e.value(i, true) || (isMaster && !isOpen ? `${count(e.children(i))} inside` : "");
    const end = isOpen || !isMaster ? (i + 1 < e.length ? e.offset(i + 1) : e.known) : e.end(i);
    badge.textContent = this.#badge(e.offset(i), end);
    id.textContent = e.id(i).toString(16).toUpperCase();
    offset.textContent = count(e.offset(i));
    bytes.textContent = e.size(i) < 0 ? "unknown" : size(e.size(i));
  }
}

function makeRow() {
  const row = document.createElement("div");
  row.role = "treeitem";
  const twisty = document.createElement("span");
  twisty.className = "twisty";
  twisty.ariaHidden = "true";
  row.cells = ["name", "value", "badge", "id", "offset", "size"].map((name) => {
    const cell = document.createElement("span");
    cell.className = name;
    return cell;
  });
  row.append(twisty, ...row.cells);
  return row;
}

function grown(column, length) {
  const longer = new column.constructor(length);
  longer.set(column);
  return longer;
}
