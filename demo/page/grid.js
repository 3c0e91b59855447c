// A table of which only the rows in sight exist, and whose rows can be selected.

import { VirtualList } from "./virtual-list.js";

export class Grid {
  #box;
  #name;
  #columns;
  #list;
  #onSelect;
  #selected = -1;

  /**
   * @param {HTMLElement} box takes the table
   * @param {string} name what the table is of: a word for its label and its rows' IDs
   * @param {{ title: string, text: (i: number) => string }[]} columns
   * @param {(i: number) => void} onSelect
   */
  constructor(box, name, columns, onSelect) {
    this.#name = name;
    this.#columns = columns;
    this.#onSelect = onSelect;
    this.#box = box;
    box.role = "grid";
    box.tabIndex = 0;
    box.ariaLabel = name;
    box.classList.add("grid", name.toLowerCase());
    const head = document.createElement("div");
    head.role = "row";
    head.className = "row head";
    head.append(...columns.map(({ title }) => cell("columnheader", title)));
    box.append(head);
    this.#list = new VirtualList(box, () => this.#makeRow(), (row, i) => this.#show(row, i));
    box.onclick = (event) => {
      const row = event.target.closest(".row:not(.head)");
      if (row) this.#choose(row.index);
    };
    box.onkeydown = (event) => this.#key(event);
  }

  get length() {
    return this.#list.length;
  }

  set length(length) {
    this.#list.length = length;
    this.#box.ariaRowCount = length + 1;
  }

  /** Selects a row and brings it into sight; -1 selects none. */
  select(i) {
    this.#selected = i;
    if (i < 0) {
      this.#box.removeAttribute("aria-activedescendant");
      return this.#list.draw();
    }
    this.#box.setAttribute("aria-activedescendant", `${this.#name}-${i}`);
    this.#list.reveal(i);
    this.#list.draw();
  }

  #choose(i) {
    this.select(i);
    this.#onSelect(i);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || this.length === 0) return;
    const at = this.#selected;
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + this.#list.page,
      PageUp: at - this.#list.page,
      Home: 0,
      End: this.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#choose(Math.max(0, Math.min(to, this.length - 1)));
  }

  #makeRow() {
    const row = document.createElement("div");
    row.role = "row";
    row.append(...this.#columns.map(() => cell("gridcell", "")));
    return row;
  }

  #show(row, i) {
    row.index = i;
    row.id = `${this.#name}-${i}`;
    row.className = "row";
    row.ariaRowIndex = i + 2;
    row.ariaSelected = i === this.#selected;
    for (const [k, { text }] of this.#columns.entries()) row.children[k].textContent = text(i);
  }
}

function cell(role, text) {
  const span = document.createElement("span");
  span.role = role;
  span.textContent = text;
  return span;
}
