// The recording in time: each cluster a bar as long as it lasts and as high as it is
// large, key frames marked, what is lost or silent hatched; where the picture is, and the
// range of a clip, which pointer and keyboard choose.

import { plural } from "./format.js";

const spans = [10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600]; // seconds, while it is recorded
const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600]; // seconds between labels
const room = { above: 14, below: 20 }; // pixels for the marks and the labels
const still = 4; // pixels: what moves less is a click

export class Timeline {
  #root;
  #canvas;
  #parts;
  #calls;
  #clusters = [];
  #losses = [];
  #gaps = [];
  #marks = true;
  #fit = false;
  #end = 0;
  #span = spans[0];
  #largest = 1;
  #measured = 0; // clusters that #largest knows
  #request = 0;
  #range = null; // { start, end } in seconds
  #cut = null;
  #playhead = null;
  #drag = null;

  /**
   * @param {HTMLElement} root with a canvas and the elements that lie over it
   * @param {object} calls
   * @param {(time: number) => void} calls.seek
   * @param {(range: { start: number, end: number } | null, settled: boolean) => void} calls.select
   *   is told while a range is being chosen, and once it is
   */
  constructor(root, calls) {
    this.#root = root;
    this.#calls = calls;
    this.#canvas = root.querySelector("canvas");
    const part = (name) => root.querySelector(`.${name}`);
    this.#parts = { range: part("range"), cut: part("cut"), playhead: part("playhead"), start: part("from"), end: part("to") };
    new ResizeObserver(() => this.draw()).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    root.onpointerdown = (event) => this.#down(event);
    root.onpointermove = (event) => this.#move(event);
    root.onpointerup = root.onpointercancel = (event) => this.#up(event);
    for (const edge of ["start", "end"]) this.#parts[edge].onkeydown = (event) => this.#key(event, edge);
    this.draw();
  }

  /** Begins anew with what a recording has so far: more of `clusters` may come. */
  reset(clusters) {
    this.#clusters = clusters;
    this.#losses = this.#gaps = [];
    this.#range = null;
    this.#drag = null;
    this.#fit = false;
    this.#end = 0;
    this.#largest = 1;
    this.#measured = 0;
    this.cut = null;
    this.draw();
  }

  /** Whether key frames are worth a mark: of sound alone every block is one. */
  set marks(marks) {
    this.#marks = marks;
  }

  /** Where in time bytes are lost. */
  set losses(losses) {
    this.#losses = losses;
  }

  /** Where in time there is no sound. */
  set gaps(gaps) {
    this.#gaps = gaps;
  }

  /** Where the picture is, or null. */
  set playhead(time) {
    this.#playhead = time === null ? null : { start: time, end: time };
    this.#place(this.#parts.playhead, this.#playhead);
  }

  /** Where a clip of the range is really cut: { start, end }, or null. */
  set cut(cut) {
    this.#cut = cut;
    this.#place(this.#parts.cut, cut);
  }

  /** Shows a range, without telling. */
  select(range) {
    this.#range = range;
    this.#draw();
  }

  /** Fills the whole width: nothing more will come. */
  finish() {
    this.#fit = true;
    this.draw();
  }

  /** Draws soon, and once however often it is called. */
  draw() {
    this.#request ||= requestAnimationFrame(() => {
      this.#request = 0;
      this.#draw();
    });
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (width === 0) return;
    this.#measure();
    const scale = devicePixelRatio;
    this.#canvas.width = width * scale;
    this.#canvas.height = height * scale;
    const c = this.#canvas.getContext("2d");
    c.scale(scale, scale);
    const style = getComputedStyle(this.#root);
    const color = (name) => style.getPropertyValue(name);
    const floor = height - room.below;
    const x = (time) => (time / this.#span) * width;

    this.#drawAxis(c, x, floor, width, color);
    for (const [i, cluster] of this.#clusters.entries()) {
      const left = x(cluster.time);
      const w = Math.max(1, x(this.#endOf(i)) - left - 1);
      const h = Math.max(2, ((cluster.end - cluster.start) / this.#largest) * (floor - room.above));
      const key = this.#marks && cluster.keyframes > 0;
      c.fillStyle = color(key ? "--key" : "--bar");
      c.beginPath();
      c.roundRect(left, floor - h, w, h, [Math.min(3, w / 3), Math.min(3, w / 3), 0, 0]);
      c.fill();
      if (key) mark(c, Math.max(5, left + w / 2), floor - h);
    }
    for (const { start, end } of this.#gaps) hatch(c, x(start), x(end), floor, color("--edge"));
    for (const { start, end } of this.#losses) hatch(c, x(start), x(end), floor, color("--record"));
    this.#drawRange();
    this.#describe();
  }

  /** The last frames of a cluster may reach beyond the beginning of the next. */
  #endOf(i) {
    const { time, duration } = this.#clusters[i];
    return Math.min(time + duration, this.#clusters[i + 1]?.time ?? Infinity);
  }

  #measure() {
    for (; this.#measured < this.#clusters.length; this.#measured++) {
      const { start, end, time, duration } = this.#clusters[this.#measured];
      this.#largest = Math.max(this.#largest, end - start);
      this.#end = Math.max(this.#end, time + duration); // the last cluster can be sound alone
    }
    // In steps, so that what is there stays where it is for a while.
    const step = spans.find((span) => span >= this.#end) ?? Math.ceil(this.#end / 3600) * 3600;
    this.#span = this.#fit && this.#end > 0 ? this.#end : step;
  }

  #drawAxis(c, x, floor, width, color) {
    const step = steps.find((s) => x(s) >= 64) ?? steps.at(-1);
    c.font = `12px ${getComputedStyle(this.#root).fontFamily}`;
    c.textBaseline = "alphabetic";
    for (let time = 0; x(time) <= width; time += step) {
      const label = time < 60 ? `${time} s` : `${Math.floor(time / 60)}:${String(time % 60).padStart(2, "0")}`;
      const at = Math.round(x(time)) + 0.5;
      c.fillStyle = color("--line");
      c.fillRect(at, 0, 1, floor + 4);
      c.fillStyle = color("--quiet");
      if (at + 4 + c.measureText(label).width <= width) c.fillText(label, at + 4, floor + 15);
    }
    c.fillStyle = color("--edge");
    c.fillRect(0, floor, width, 1);
  }

  #drawRange() {
    const range = this.#range ?? { start: 0, end: this.#end };
    this.#root.classList.toggle("chosen", this.#range !== null);
    this.#place(this.#parts.playhead, this.#playhead);
    this.#place(this.#parts.range, this.#range);
    this.#place(this.#parts.cut, this.#cut);
    for (const edge of ["start", "end"]) {
      const handle = this.#parts[edge];
      this.#place(handle, this.#end > 0 ? { start: range[edge], end: range[edge] } : null);
      handle.setAttribute("aria-valuemax", this.#end.toFixed(2));
      handle.setAttribute("aria-valuenow", range[edge].toFixed(2));
      handle.setAttribute("aria-valuetext", `${range[edge].toFixed(2)} seconds`);
    }
  }

  /** Puts an element over a part of the time, or away. */
  #place(element, part) {
    element.hidden = part === null;
    if (!part) return;
    element.style.setProperty("--from", part.start / this.#span);
    element.style.setProperty("--length", (part.end - part.start) / this.#span);
  }

  #describe() {
    const keys = this.#clusters.filter((cluster) => cluster.keyframes > 0).length;
    const words = [`${this.#clusters.length} clusters in ${this.#end.toFixed(1)} seconds`];
    if (this.#marks) words.push(`${keys} with key frames`);
    if (this.#losses.length > 0) words.push(`something lost in ${plural(this.#losses.length, "place")}`);
    if (this.#gaps.length > 0) words.push(`no sound in ${plural(this.#gaps.length, "place")}`);
    this.#canvas.setAttribute("aria-label", `Timeline: ${words.join(", ")}. The table under Details has each.`);
  }

  // Pointer and keyboard

  #at(event) {
    const box = this.#root.getBoundingClientRect();
    return this.#within(((event.clientX - box.left) / box.width) * this.#span);
  }

  #within(time) {
    return Math.min(Math.max(time, 0), this.#end);
  }

  #down(event) {
    if (this.#end === 0 || event.button !== 0) return;
    const edge = ["start", "end"].find((edge) => this.#parts[edge] === event.target);
    const range = this.#range ?? { start: 0, end: this.#end };
    const other = edge && range[edge === "start" ? "end" : "start"];
    this.#drag = { from: event.clientX, anchor: other ?? this.#at(event), moved: false };
    this.#root.setPointerCapture(event.pointerId);
    if (edge) {
      event.preventDefault(); // which would take the focus
      event.target.focus({ focusVisible: false });
    }
  }

  #move(event) {
    if (!this.#drag) return;
    this.#drag.moved ||= Math.abs(event.clientX - this.#drag.from) >= still;
    if (this.#drag.moved) this.#choose(this.#drag.anchor, this.#at(event), false);
  }

  #up(event) {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    if (drag.moved) this.#calls.select(this.#range, true);
    else if (event.type === "pointerup") this.#calls.seek(this.#at(event));
  }

  #choose(a, b, settled) {
    const range = { start: Math.min(a, b), end: Math.max(a, b) };
    this.select(range.end - range.start < 0.01 ? null : range);
    this.#calls.select(this.#range, settled);
  }

  #key(event, edge) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#end === 0) return;
    const range = this.#range ?? { start: 0, end: this.#end };
    const step = event.shiftKey ? 1 : 0.1;
    const value = range[edge];
    const to = {
      ArrowLeft: value - step, ArrowDown: value - step, ArrowRight: value + step, ArrowUp: value + step,
      PageDown: value - 5, PageUp: value + 5, Home: 0, End: this.#end,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { start, end } = range;
    if (edge === "start") this.#choose(Math.min(this.#within(to), end - 0.1), end, true);
    else this.#choose(start, Math.max(this.#within(to), start + 0.1), true);
  }
}

/** A small triangle that stands on a bar, so that colour is not all that tells. */
function mark(c, x, y) {
  c.beginPath();
  c.moveTo(x, y - 2);
  c.lineTo(x + 4, y - 8);
  c.lineTo(x - 4, y - 8);
  c.fill();
}

/** Slanted lines over a time of which something is lost, or that has no sound. */
function hatch(c, left, right, floor, color) {
  const width = Math.max(3, right - left);
  c.save();
  c.beginPath();
  c.rect(left, 0, width, floor);
  c.clip();
  c.strokeStyle = color;
  c.lineWidth = 1.5;
  c.beginPath();
  for (let x = left - floor; x < left + width; x += 6) {
    c.moveTo(x, floor);
    c.lineTo(x + floor, 0);
  }
  c.stroke();
  c.restore();
}
