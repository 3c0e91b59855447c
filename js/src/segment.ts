// Headers and clusters, the segments of a recording: what is known of each, and its bytes.

import { joined, read, type Bytes } from "./base/bytes.js";
import { late } from "./base/error.js";
import type { ClusterFacts, HeaderFacts, Range } from "./base/types.js";
import type { Form, ToldCluster, ToldHeader } from "./engine/answers.js";

/**
 * What a recording begins with, as recorded: all that stands before the first cluster. If only
 * its first byte was lost, it is given with that byte, one more than from `start` to `end`.
 */
export class Header {
  /** Tells a header from a cluster. */
  readonly kind = "header";
  readonly #bytes: Bytes;

  /** @internal */
  constructor(facts: ToldHeader, bytes: Bytes) {
    Object.assign(this, facts);
    this.#bytes = bytes;
  }

  /** The bytes as recorded. Clusters appended to it, from one with a key frame on, play. */
  blob(): Blob {
    return new Blob([this.#bytes], { type: this.mimeType });
  }

  /** A copy of the bytes as recorded. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes.slice();
  }

  /** The CRC-32 of those bytes, as zip has it: from 0 up to 2³² − 1. */
  crc32(): Promise<number> {
    return crc32(this);
  }
}
export interface Header extends Range, HeaderFacts {
  /** 0 for the first recording in the stream, 1 for the next. */
  recordingIndex: number;
  /** Its number among the headers and clusters of the stream, from 0 on. */
  sequence: number;
}

/** Where the bytes of a cluster are. */
interface ClusterBytes {
  /** What comes before its data, as recorded; of a fragment, so that it is a cluster. */
  head: Bytes;
  /** Its data in the final form: Blobs first, and then what is not in one yet. */
  data(): (Blob | Bytes)[];
  /** Offsets in the data and what was recorded there, in turns, where the final form is another. */
  changed: number[];
  form: Form;
  fromZero: Form;
  type: string;
  initialization(): Promise<Blob>;
}

/** A complete cluster: a second or so of media. Or a fragment of one: see `takeClusters`. */
export class Cluster {
  /** Tells a cluster from a header. */
  readonly kind = "cluster";
  readonly #bytes: ClusterBytes;

  /** @internal */
  constructor(facts: ToldCluster, bytes: ClusterBytes) {
    const { form: _form, fromZero: _zero, ...known } = facts;
    Object.assign(this, known);
    this.#bytes = bytes;
  }

  /** The bytes as recorded; a fragment is a cluster of known size. */
  blob(): Blob {
    const { head, data, changed, type } = this.#bytes;
    let parts: BlobPart[] = data();
    if (changed.length > 0) {
      const edited = new Blob(parts);
      parts = [];
      let at = 0;
      for (let i = 0; i < changed.length; i += 2) {
        parts.push(edited.slice(at, changed[i]), Uint8Array.of(changed[i + 1]!));
        at = changed[i]! + 1;
      }
      parts.push(edited.slice(at));
    }
    return new Blob([head, ...parts], { type });
  }

  /** A copy of those bytes. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const { head, data, changed } = this.#bytes;
    const parts = data();
    if (parts[0] && !ArrayBuffer.isView(parts[0])) return read(this.blob(), "what was recorded");
    const bytes = joined([head, ...(parts as Bytes[])]);
    for (let i = 0; i < changed.length; i += 2) bytes[head.length + changed[i]!] = changed[i + 1]!;
    return bytes;
  }

  /** The CRC-32 of those bytes, as zip has it: from 0 up to 2³² − 1. */
  crc32(): Promise<number> {
    return crc32(this);
  }

  /**
   * A cluster of known size, whatever was recorded, for Media Source Extensions after
   * an initialization segment. Chromium plays any; Firefox leaves holes in the picture
   * where clusters do not begin with a key frame.
   */
  sized(): Blob {
    const { form, data, type } = this.#bytes;
    return new Blob([form.head, ...data()], { type });
  }

  /**
   * A file of its own, which a player or a speech recogniser can decode alone. With
   * `fromZero` its timestamps begin at 0; otherwise they stay. The picture begins at
   * once only if `beginsWithKeyFrame`.
   */
  async standalone(options: { fromZero?: boolean | undefined } = {}): Promise<Blob> {
    const { form, fromZero, data, type, initialization } = this.#bytes;
    const chosen = options.fromZero ? fromZero : form;
    return new Blob([await initialization(), chosen.head, new Blob(data()).slice(chosen.start - form.start)], { type });
  }

  /** Has the browser hold the bytes, outside the page's own memory, for as long as nobody wants them. @internal */
  rest(): void {
    const parts = this.#bytes.data();
    if (parts[0] && !ArrayBuffer.isView(parts[0])) return;
    const blob = new Blob(parts);
    this.#bytes.data = () => [blob];
  }
}
export interface Cluster extends ClusterFacts {
  /** Its number among the headers and clusters of the stream, from 0 on; fragments count as clusters. */
  sequence: number;
}

/** What a recording is made of. */
export type Segment = Header | Cluster;

const crc32 = async (segment: Segment) => (await late("upload.js", import("./upload.js"))).crc32(await segment.bytes());
