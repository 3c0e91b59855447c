// A list of which only the rows in sight exist. Browsers allow an element some
// 16 to 33 million pixels of height, which a gigabyte in rows of 16 bytes is far
// beyond: then the scroll bar stands for more than it has, and what is scrolled
// a little moves as far as it looks, while what is dragged jumps in proportion.

const highest = 8_000_000; // pixels

export class VirtualList {
  #viewport;
  #space = document.createElement("div");
  #make;
  #show;
  #rows = [];
  #height = 24; // pixels of a row
  #length = 0;
  #top = 0; // pixels of the whole list above what is in sight
  #last = 0; // scrollTop when #top was set
  #kept = -1; // what was brought into sight, and is to stay there while nobody scrolls
  #request = 0;

  /**
   * @param {HTMLElement} viewport scrolls, and has the height of a row as --row
   * @param {() => HTMLElement} make makes a row
   * @param {(row: HTMLElement, i: number) => void} show has a row show entry i
   */
  constructor(viewport, make, show) {
    this.#viewport = viewport;
    this.#make = make;
    this.#show = show;
    this.#space.className = "space";
    this.#space.role = "presentation";
    viewport.append(this.#space);
    viewport.addEventListener("scroll", () => this.#scrolled());
    viewport.addEventListener("scrollend", () => this.#scaled && this.#scrollTo(this.#top));
    new ResizeObserver(() => this.#resize()).observe(viewport);
  }

  get length() {
    return this.#length;
  }

  set length(length) {
    if (length === this.#length) return this.draw();
    this.#length = length;
    this.#resize();
  }

  /** How many rows are in sight, whole. */
  get page() {
    return Math.max(1, Math.floor(this.#sight / this.#height) - 1);
  }

  /** Brings entry i into sight, if it is not. */
  reveal(i) {
    this.#kept = i;
    const sight = this.#sight;
    const y = i * this.#height;
    if (y >= this.#top && y + this.#height <= this.#top + sight) return this.draw();
    const near = y > this.#top - sight && y < this.#top + 2 * sight;
    const edge = y < this.#top ? y : y + this.#height - sight;
    this.#scrollTo(near ? edge : y - sight / 3);
  }

  /** Draws soon, and once however often it is called. */
  draw() {
    this.#request ||= requestAnimationFrame(() => this.#draw());
  }

  /** Pixels of the list that are in sight: the head of a table stays above it. */
  get #sight() {
    return Math.max(0, this.#viewport.clientHeight - this.#space.offsetTop);
  }

  get #whole() {
    return this.#length * this.#height;
  }

  get #scaled() {
    return this.#whole > highest;
  }

  /** How far the list moves when the scroll bar is dragged by a pixel. */
  get #ratio() {
    const sight = this.#sight;
    return this.#scaled ? (this.#whole - sight) / (highest - sight) : 1;
  }

  #resize() {
    this.#height = parseFloat(getComputedStyle(this.#viewport).getPropertyValue("--row")) || this.#height;
    this.#space.style.height = `${Math.min(this.#whole, highest)}px`;
    this.#scrollTo(this.#top);
    if (this.#kept >= 0) this.reveal(this.#kept);
  }

  #scrollTo(top) {
    this.#top = this.#within(top);
    this.#viewport.scrollTop = this.#top / this.#ratio;
    this.#last = this.#viewport.scrollTop;
    this.draw();
  }

  #scrolled() {
    const { scrollTop } = this.#viewport;
    const by = scrollTop - this.#last;
    if (by === 0) return;
    this.#kept = -1;
    const little = this.#scaled && Math.abs(by) <= 2 * this.#sight;
    this.#top = this.#within(little ? this.#top + by : scrollTop * this.#ratio);
    this.#last = scrollTop;
    this.draw();
  }

  #within(top) {
    return Math.max(0, Math.min(top, this.#whole - this.#sight));
  }

  #draw() {
    this.#request = 0;
    const sight = this.#sight;
    const first = Math.floor(this.#top / this.#height);
    const count = sight === 0 ? 0 : Math.min(this.#length - first, Math.ceil(sight / this.#height) + 1);
    while (this.#rows.length < count) this.#space.append((this.#rows[this.#rows.length] = this.#make()));
    for (const [k, row] of this.#rows.entries()) {
      row.hidden = k >= count;
      if (row.hidden) {
        row.removeAttribute("id");
        continue;
      }
      const i = first + k;
      row.style.transform = `translateY(${this.#last + i * this.#height - this.#top}px)`;
      this.#show(row, i);
    }
  }
}
