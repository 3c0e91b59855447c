// A recording as a stream of what it is made of.

import type { Segment } from "./recording.js";

/** The source of a recording's `segments`. */
export class Segments {
  readonly stream: ReadableStream<Segment>;
  #wake = () => {};
  #stopped: { reason: unknown } | null = null;

  /** Asks `next` for each segment that a reader wants, until it has none and the recording is finished. */
  constructor(next: () => Segment | undefined, finished: Promise<unknown>) {
    let over = false;
    const end = finished.finally(() => {
      over = true;
      this.#wake();
    });
    end.catch(() => {}); // the reader is told
    const pull = async (controller: ReadableStreamDefaultController<Segment>) => {
      while (!this.#stopped) {
        const segment = next();
        if (segment) return controller.enqueue(segment);
        if (over) return end.then(() => controller.close());
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      throw this.#stopped.reason;
    };
    // Nothing is taken before it is read, or after nobody wants more.
    this.stream = new ReadableStream({ pull, cancel: (reason) => this.stop(reason) }, { highWaterMark: 0 });
  }

  /** Says that there may be another segment. */
  wake(): void {
    this.#wake();
  }

  /** Ends the stream before its end. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#wake();
  }
}
