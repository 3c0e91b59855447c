// What is complete of a recording and has not been taken: it waits, or is in the queues of the
// streams that are open.

import type { Header, Segment } from "./segment.js";

/** What one reader has not been given yet. */
interface Queue {
  segments: Segment[];
  controller?: ReadableStreamDefaultController<Segment>;
  wake(): void;
}

export class Segments {
  readonly #finished: Promise<unknown>;
  #waiting: Queue = { segments: [], wake() {} }; // while no stream is open
  #open = new Set<Queue>();
  #header: Header | null = null; // of the recording under way
  #fresh = 0; // how many of the last in each queue have come with the last add
  #over = false;

  /** @param finished says how streams end */
  constructor(finished: Promise<unknown>) {
    this.#finished = finished;
    const end = () => {
      this.#over = true;
      for (const queue of this.#open) queue.wake();
    };
    finished.then(end, end);
  }

  /** Adds what is complete, in the order of the stream. */
  add(segments: Segment[]): void {
    for (const queue of this.#open.size > 0 ? this.#open : [this.#waiting]) {
      for (const segment of segments) queue.segments.push(segment);
      queue.wake();
    }
    this.#header = segments.findLast((s) => s.kind === "header") ?? this.#header;
    this.#fresh = segments.length;
  }

  /** Has the browser hold what was added last and has not been taken. */
  rest(): void {
    for (const { segments } of [this.#waiting, ...this.#open]) {
      for (const segment of segments.slice(-this.#fresh || Infinity)) if (segment.kind === "cluster") segment.rest();
    }
  }

  /** Takes the first of a kind that wait. */
  take<Kind extends Segment["kind"]>(kind: Kind, most = Infinity): Extract<Segment, { kind: Kind }>[] {
    const taken: Segment[] = [];
    this.#waiting.segments = this.#waiting.segments.filter((s) => s.kind !== kind || taken.length === most || !taken.push(s));
    return taken as Extract<Segment, { kind: Kind }>[];
  }

  /**
   * Opens a stream. It begins with what waits or, if there are others, with the header of the
   * recording under way. Nothing leaves its queue before it is read.
   */
  stream(): ReadableStream<Segment> {
    const open = this.#open;
    const waiting = this.#waiting;
    const queue: Queue = { segments: open.size > 0 ? (this.#header ? [this.#header] : []) : waiting.segments.splice(0), wake() {} };
    open.add(queue);
    return new ReadableStream(
      {
        start: (controller) => void (queue.controller = controller),
        pull: async (controller) => {
          while (open.has(queue)) {
            const segment = queue.segments.shift();
            if (segment) return controller.enqueue(segment);
            if (this.#over) {
              open.delete(queue);
              await this.#finished;
              return controller.close();
            }
            await new Promise<void>((resolve) => (queue.wake = resolve));
          }
        },
        cancel: () => {
          open.delete(queue);
          if (open.size === 0) waiting.segments = queue.segments.splice(0);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Forgets all of it: streams that have not given everything fail with the reason. */
  clear(reason: unknown): void {
    this.#waiting.segments = [];
    this.#header = null;
    for (const queue of this.#open) if (queue.segments.splice(0).length > 0) queue.controller!.error(reason);
  }
}
