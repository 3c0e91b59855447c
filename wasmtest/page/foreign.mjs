// Blobs of another implementation, as node-fetch and other libraries have them.

/** A Blob that the page takes for a string where it wants a Blob: its bytes or, if it is gone, none. */
export class Foreign {
  #bytes;
  constructor(bytes, gone = false) {
    this.#bytes = bytes;
    this.gone = gone;
    this.type = "video/webm";
  }
  get size() {
    return this.#bytes.length;
  }
  slice(start = 0, end = this.size) {
    return new Foreign(this.#bytes.slice(start, end), this.gone);
  }
  async arrayBuffer() {
    if (this.gone) throw new DOMException("it is gone", "NotReadableError");
    return this.#bytes.slice().buffer;
  }
}
