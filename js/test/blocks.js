// The blocks of a file, read without webmend.

/** What has blocks, and what these are in. */
const masters = new Set([0x18538067, 0x1f43b675, 0xa0]);

/** The blocks that are whole in the bytes of a file, each as its track number and its frames, in order. */
export function blocksOf(bytes) {
  const blocks = [];
  for (let at = 0; at < bytes.length; ) {
    const idLength = Math.clz32(bytes[at]) - 23;
    const sizeLength = Math.clz32(bytes[at + idLength]) - 23;
    const data = at + idLength + sizeLength;
    if (data > bytes.length) break;
    const id = bytes.readUIntBE(at, idLength);
    let size = bytes[at + idLength] & (0xff >> sizeLength);
    for (let i = 1; i < sizeLength; i++) size = 256 * size + bytes[at + idLength + i];
    if (masters.has(id)) {
      at = data;
      continue;
    }
    at = data + size;
    if ((id === 0xa3 || id === 0xa1) && at <= bytes.length) blocks.push(`${bytes[data] & 0x7f} ${bytes.toString("base64", data + 4, at)}`);
  }
  return blocks;
}
