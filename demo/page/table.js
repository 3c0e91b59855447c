// The header and the clusters as rows, of which a range can be selected by
// pointer and by keyboard.

import { count, plural, size } from "./format.js";

const most = 500; // rows at once: a long recording has tens of thousands

export class ClusterTable {
  #table;
  #box;
  #header;
  #rows;
  #pages;
  #onSelect;
  #clusters = [];
  #start = 0; // the cluster of the first row
  #follows = true; // whether the newest cluster is shown
  #anchor = 0; // where a selection by shift began
  #selection = null;
  #tabStop = null; // the one row that Tab reaches

  /**
   * @param {HTMLTableElement} table with an empty tbody for the header and one for the clusters
   * @param {{ box: HTMLElement, text: HTMLElement, earlier: HTMLButtonElement, later: HTMLButtonElement }} pages
   *   leads to the rows that are left out
   * @param {(first: number, last: number) => void} onSelect
   */
  constructor(table, pages, onSelect) {
    this.#table = table;
    this.#box = table.parentElement;
    [this.#header, this.#rows] = table.tBodies;
    this.#pages = pages;
    this.#onSelect = onSelect;
    pages.earlier.onclick = () => this.#turn(-most);
    pages.later.onclick = () => this.#turn(most);
    this.#rows.onclick = (event) => this.#click(event);
    this.#rows.onmousedown = (event) => event.shiftKey && event.preventDefault(); // selects rows, not text
    this.#rows.onkeydown = (event) => this.#key(event);
  }

  /** Begins anew with what a recording has so far: more of `clusters` may come. */
  reset(clusters) {
    this.#clusters = clusters;
    this.#header.replaceChildren();
    this.#rows.replaceChildren();
    this.#start = 0;
    this.#follows = true;
    this.#anchor = 0;
    this.#selection = null;
    this.#tabStop = null;
    this.#update();
  }

  setHeader(header) {
    const row = document.createElement("tr");
    const tracks = wide(cell(plural(header.tracks.length, "track")), 2);
    row.append(heading("Header"), tracks, cell(size(header.end - header.start)), wide(cell(""), 2), cell(range(header)));
    this.#header.replaceChildren(row);
  }

  /** Adds rows for the clusters that came, unless earlier ones are being looked at. */
  grow() {
    const end = this.#start + this.#rows.rows.length;
    if (this.#follows && end < this.#clusters.length) {
      const atEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 40;
      this.#append(Math.max(end, this.#clusters.length - most));
      this.#prune();
      if (atEnd) this.#box.scrollTop = this.#box.scrollHeight;
    }
    this.#update();
  }

  /** Shows what is selected, without telling. */
  select(first, last) {
    const before = this.#selection;
    this.#selection = { first, last };
    if (before) this.#mark(before.first, before.last);
    this.#mark(first, last);
    if (this.#anchor < first || this.#anchor > last) this.#anchor = first;
  }

  /** Shows that nothing is selected. */
  deselect() {
    const before = this.#selection;
    this.#selection = null;
    if (before) this.#mark(before.first, before.last);
    this.#anchor = 0;
  }

  /** Shows a cluster's row. */
  reveal(index) {
    if (!this.#row(index)) this.#show(index - most / 2);
    this.#row(index).scrollIntoView({ block: "nearest" });
  }

  /** Shows the rows from a cluster on. */
  #show(start) {
    this.#start = Math.max(0, Math.min(start, this.#clusters.length - most));
    this.#follows = this.#start + most >= this.#clusters.length;
    this.#rows.replaceChildren();
    this.#tabStop = null;
    this.#append(this.#start);
    this.#update();
  }

  #append(from) {
    const to = Math.min(this.#clusters.length, from + most);
    const rows = document.createDocumentFragment();
    for (let i = from; i < to; i++) rows.append(this.#build(i));
    this.#rows.append(rows);
    if (!this.#tabStop && to > from) this.#stopAt(this.#rows.rows[0]);
  }

  #build(index) {
    const cluster = this.#clusters[index];
    const row = document.createElement("tr");
    row.dataset.index = index;
    row.tabIndex = -1;
    row.setAttribute("aria-selected", this.#isSelected(index));
    row.append(
      heading(count(index + 1)),
      cell(cluster.time.toFixed(3)),
      cell(cluster.duration.toFixed(3)),
      cell(size(cluster.end - cluster.start)),
      cell(count(cluster.blocks)),
      cell(cluster.keyframes ? count(cluster.keyframes) : "–"),
      cell(range(cluster)),
    );
    row.classList.toggle("key", cluster.keyframes > 0);
    if (cluster.cut) row.title = "The stream ended inside this cluster.";
    return row;
  }

  #prune() {
    const extra = this.#rows.rows.length - most;
    for (let i = 0; i < extra; i++) this.#rows.rows[0].remove();
    this.#start = this.#clusters.length - this.#rows.rows.length;
    if (this.#tabStop && !this.#tabStop.isConnected) this.#stopAt(this.#rows.rows[0]);
  }

  #turn(by) {
    this.#show(this.#start + by);
    this.#box.scrollTop = by < 0 ? this.#box.scrollHeight : 0; // reading goes on where it was
  }

  #update() {
    const shown = this.#rows.rows.length;
    const all = this.#clusters.length;
    this.#pages.box.hidden = all <= most;
    this.#pages.earlier.disabled = this.#start === 0;
    this.#pages.later.disabled = this.#start + shown >= all;
    this.#pages.text.textContent = `Clusters ${count(this.#start + 1)}–${count(this.#start + shown)} of ${count(all)}`;
    this.#table.setAttribute("aria-rowcount", all + 2);
  }

  #row(index) {
    return this.#rows.rows[index - this.#start];
  }

  #isSelected(index) {
    return this.#selection !== null && index >= this.#selection.first && index <= this.#selection.last;
  }

  #mark(first, last) {
    const end = Math.min(last, this.#start + this.#rows.rows.length - 1);
    for (let i = Math.max(first, this.#start); i <= end; i++) {
      this.#row(i).setAttribute("aria-selected", this.#isSelected(i));
    }
  }

  #click(event) {
    const row = event.target.closest("tr");
    if (!row) return;
    this.#stopAt(row);
    this.#choose(Number(row.dataset.index), event.shiftKey);
  }

  #choose(index, extend) {
    if (!extend) this.#anchor = index;
    this.#onSelect(Math.min(this.#anchor, index), Math.max(this.#anchor, index));
  }

  #key(event) {
    const row = event.target.closest("tr");
    const index = Number(row.dataset.index);
    const last = this.#clusters.length - 1;
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: last, Enter: index, " ": index }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = Math.min(Math.max(to, 0), last);
    this.reveal(next);
    this.#stopAt(this.#row(next));
    this.#row(next).focus();
    this.#choose(next, event.shiftKey);
  }

  #stopAt(row) {
    if (this.#tabStop) this.#tabStop.tabIndex = -1;
    row.tabIndex = 0;
    this.#tabStop = row;
  }
}

function cell(text) {
  const element = document.createElement("td");
  element.textContent = text;
  return element;
}

function wide(cell, columns) {
  cell.colSpan = columns;
  return cell;
}

function heading(text) {
  const element = document.createElement("th");
  element.scope = "row";
  element.textContent = text;
  return element;
}

function range({ start, end }) {
  return `${count(start)}–${count(end)}`;
}
