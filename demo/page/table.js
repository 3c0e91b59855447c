// The header and the clusters as rows, of which a range can be selected by
// pointer and by keyboard.

import { count, plural, size } from "./format.js";

const most = 500; // rows at once: a long recording has tens of thousands

export class ClusterTable {
  #table;
  #box;
  #header;
  #rows;
  #earlier;
  #onSelect;
  #clusters = [];
  #start = 0; // the cluster of the first row
  #all = false; // whether every row was asked for
  #anchor = 0; // where a selection by shift began
  #selection = null;
  #tabStop = null; // the one row that Tab reaches

  /**
   * @param {HTMLTableElement} table with an empty tbody for the header and one for the clusters
   * @param {HTMLButtonElement} earlier shows the rows that are left out
   * @param {(first: number, last: number) => void} onSelect
   */
  constructor(table, earlier, onSelect) {
    this.#table = table;
    this.#box = table.parentElement;
    [this.#header, this.#rows] = table.tBodies;
    this.#earlier = earlier;
    this.#onSelect = onSelect;
    earlier.onclick = () => this.#showAll();
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
    this.#all = false;
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

  /** Adds rows for the clusters that came. */
  grow() {
    const shown = this.#start + this.#rows.rows.length;
    if (shown === this.#clusters.length) return;
    const atEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 40;
    const from = this.#all ? shown : Math.max(shown, this.#clusters.length - most);
    this.#append(from, this.#clusters.length, null);
    if (!this.#all) this.#prune();
    this.#update();
    if (atEnd) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** Shows what is selected, without telling. */
  select(first, last) {
    const before = this.#selection;
    this.#selection = { first, last };
    if (before) this.#mark(before.first, before.last);
    this.#mark(first, last);
    if (this.#anchor < first || this.#anchor > last) this.#anchor = first;
  }

  /** Scrolls so far that a cluster's row can be seen. */
  reveal(index) {
    this.#row(index)?.scrollIntoView({ block: "nearest" });
  }

  #append(from, to, before) {
    const rows = document.createDocumentFragment();
    for (let i = from; i < to; i++) rows.append(this.#build(i));
    this.#rows.insertBefore(rows, before);
    if (!this.#tabStop) this.#stopAt(this.#rows.rows[0]);
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

  #showAll() {
    this.#all = true;
    this.#append(0, this.#start, this.#rows.rows[0]);
    this.#start = 0;
    this.#update();
    this.#box.scrollTop = 0;
    this.#box.focus();
  }

  #update() {
    this.#earlier.hidden = this.#start === 0;
    this.#earlier.textContent = `Show all ${count(this.#clusters.length)} clusters, not only the last ${most}`;
    this.#table.setAttribute("aria-rowcount", this.#clusters.length + 2);
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
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: this.#start, End: last, Enter: index, " ": index }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = this.#row(Math.min(Math.max(to, this.#start), last));
    this.#stopAt(next);
    next.focus();
    this.#choose(Number(next.dataset.index), event.shiftKey);
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
