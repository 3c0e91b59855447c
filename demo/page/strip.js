// The clusters as bars: where in time, how long, how large, and which of them
// have a key frame.

const least = 10; // seconds that the strip spans while a recording is short
const markHeight = 10; // above the bars, for the marks of key frames

export class Strip {
  #canvas;
  #axis;
  #onSelect;
  #clusters = [];
  #marks = true;
  #selection = null;
  #span = least;
  #fit = false;
  #largest = 1;
  #measured = 0; // clusters that #largest knows
  #request = 0;
  #anchor = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} axis takes the time at the strip's end
   * @param {(first: number, last: number) => void} onSelect
   */
  constructor(canvas, axis, onSelect) {
    this.#canvas = canvas;
    this.#axis = axis;
    this.#onSelect = onSelect;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    canvas.onpointerdown = (event) => this.#down(event);
    canvas.onpointermove = (event) => this.#move(event);
  }

  reset(clusters) {
    this.#clusters = clusters;
    this.#selection = null;
    this.#anchor = null;
    this.#fit = false;
    this.#largest = 1;
    this.#measured = 0;
    this.draw();
  }

  /** Whether key frames are worth a mark: of sound alone every block is one. */
  set marks(marks) {
    this.#marks = marks;
  }

  select(first, last) {
    this.#selection = { first, last };
    this.draw();
  }

  /** Fills the whole strip: nothing more will come. */
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
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0) return;
    this.#measure();
    const scale = devicePixelRatio;
    this.#canvas.width = width * scale;
    this.#canvas.height = height * scale;
    const c = this.#canvas.getContext("2d");
    c.scale(scale, scale);
    const style = getComputedStyle(this.#canvas);
    const [selected, plain, marked] = ["--selected", "--bar", "--key"].map((name) => style.getPropertyValue(name));
    this.#drawSelection(c, width, height, selected);
    for (const [i, cluster] of this.#clusters.entries()) {
      const next = this.#clusters[i + 1]?.time ?? Infinity; // the last frames may reach beyond it
      const x = (cluster.time / this.#span) * width;
      const w = Math.max(1, (Math.min(cluster.duration, next - cluster.time) / this.#span) * width - 1);
      const h = Math.max(2, ((cluster.end - cluster.start) / this.#largest) * (height - markHeight));
      const key = this.#marks && cluster.keyframes > 0;
      c.fillStyle = key ? marked : plain;
      c.fillRect(x, height - h, w, h);
      if (key) mark(c, Math.max(5, x + w / 2), height - h);
    }
  }

  #measure() {
    for (; this.#measured < this.#clusters.length; this.#measured++) {
      const { start, end } = this.#clusters[this.#measured];
      this.#largest = Math.max(this.#largest, end - start);
    }
    const last = this.#clusters.at(-1);
    const end = last ? last.time + last.duration : 0;
    this.#span = this.#fit && end > 0 ? end : Math.max(least, end);
    this.#axis.textContent = `${this.#span.toFixed(1)} s`;
  }

  #drawSelection(c, width, height, color) {
    if (!this.#selection) return;
    const first = this.#clusters[this.#selection.first];
    const last = this.#clusters[this.#selection.last];
    const x = (first.time / this.#span) * width;
    const end = ((last.time + last.duration) / this.#span) * width;
    c.fillStyle = color;
    c.fillRect(x, 0, Math.max(2, end - x), height);
  }

  #down(event) {
    if (this.#clusters.length === 0 || event.button !== 0) return;
    const index = this.#at(event);
    if (!event.shiftKey || this.#anchor === null) this.#anchor = index;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#choose(index);
  }

  #move(event) {
    if (this.#anchor !== null && this.#canvas.hasPointerCapture(event.pointerId)) this.#choose(this.#at(event));
  }

  #choose(index) {
    this.#onSelect(Math.min(this.#anchor, index), Math.max(this.#anchor, index));
  }

  /** The last cluster that begins before the pointer. */
  #at(event) {
    const time = (event.offsetX / this.#canvas.clientWidth) * this.#span;
    let low = 0;
    let high = this.#clusters.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#clusters[middle].time <= time) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
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
