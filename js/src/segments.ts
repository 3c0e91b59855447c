// The segments of a recording as a ReadableStream.

import type { Contents } from "./contents.js";
import type { Segment } from "./segment.js";

/** The source of a recording's `segments`. */
export class Segments {
  readonly stream: ReadableStream<Segment>;
  #wake = () => {};
  #stopped: { reason: unknown } | null = null;

  /** Takes each segment that a reader wants, until there is none and the recording is finished. */
  constructor(contents: Contents, finished: Promise<unknown>) {
    let over = false;
    const end = finished.finally(() => {
      over = true;
      this.#wake();
    });
    end.catch(() => {}); // the reader is told
    contents.watch(() => this.#wake());
    const pull = async (controller: ReadableStreamDefaultController<Segment>) => {
      while (!this.#stopped) {
        const segment = contents.next();
        if (segment) return controller.enqueue(segment);
        if (over) return end.then(() => controller.close());
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      throw this.#stopped.reason;
    };
    // Nothing is taken before it is read, or after nobody wants more.
    this.stream = new ReadableStream({ pull, cancel: (reason) => this.stop(reason) }, { highWaterMark: 0 });
  }

  /** Ends the stream before its end. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#wake();
  }
}
