// What is complete of a recording and has not been taken: it waits, or is in the queues of the
// streams that are open.

import type { Cluster, Header, Segment } from "./segment.js";

/** What a stream has not given yet, and how it ends then. */
interface Queue {
  segments: Segment[];
  end: Promise<unknown>;
  wake(): void;
}

export class Segments {
  #waiting: Segment[] = []; // in the order of the stream
  #open = new Set<Queue>();
  #header: Header | null = null; // of the recording under way
  #over = false;

  /** Puts what is complete into the queue of every stream or, while there is none, where it waits. */
  add(segments: Segment[]): void {
    const queues = [...this.#open];
    for (const segment of segments) {
      if (segment.kind === "header") this.#header = segment;
      if (queues.length === 0) this.#waiting.push(segment);
      for (const queue of queues) queue.segments.push(segment);
    }
    for (const queue of queues) queue.wake();
  }

  /** Has the browser hold the clusters that wait, and those in queues. */
  rest(): void {
    for (const segments of [this.#waiting, ...[...this.#open].map((queue) => queue.segments)]) {
      for (const segment of segments) if (segment.kind === "cluster") segment.rest();
    }
  }

  takeHeader(): Header | null {
    const at = this.#waiting.findIndex((s) => s.kind === "header");
    return at < 0 ? null : (this.#waiting.splice(at, 1)[0] as Header);
  }

  takeClusters(): Cluster[] {
    const clusters = this.#waiting.filter((s) => s.kind === "cluster");
    this.#waiting = this.#waiting.filter((s) => s.kind === "header");
    return clusters;
  }

  /**
   * Opens a stream. It begins with what waits or, if there are others, with the header of the
   * recording under way. It ends as `finished` does, once its queue is empty.
   */
  stream(finished: Promise<unknown>): ReadableStream<Segment> {
    const segments = this.#open.size === 0 ? this.#waiting.splice(0) : this.#header ? [this.#header] : [];
    const queue: Queue = { segments, end: finished, wake() {} };
    this.#open.add(queue);
    const over = () => {
      this.#over = true;
      queue.wake();
    };
    finished.then(over, over);
    const pull = async (controller: ReadableStreamDefaultController<Segment>) => {
      while (this.#open.has(queue)) {
        const segment = queue.segments.shift();
        if (segment) return controller.enqueue(segment);
        if (this.#over) {
          this.#open.delete(queue);
          await queue.end;
          return controller.close();
        }
        await new Promise<void>((resolve) => (queue.wake = resolve));
      }
    };
    const cancel = () => {
      this.#open.delete(queue);
      if (this.#open.size === 0) this.#waiting = queue.segments.splice(0);
    };
    // Nothing leaves the queue before it is read.
    return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
  }

  /** Forgets all of it: streams that have not given everything fail with the reason. */
  clear(reason: unknown): void {
    this.#waiting = [];
    this.#header = null;
    for (const queue of this.#open) {
      if (queue.segments.splice(0).length > 0) queue.end = Promise.reject(reason);
      queue.end.catch(() => {}); // the reader is told
    }
  }
}
