// A recording as a TransformStream: chunks in, segments out.

import type { Chunk } from "./options.js";
import { Recording } from "./recording.js";
import type { Segment } from "./segment.js";

/**
 * A TransformStream for pipes: the chunks of a recording go in, and its headers and
 * clusters come out, as soon as each is complete. Nothing is taken in while nobody
 * reads. When the stream ends the recording is finished.
 *
 * ```js
 * await response.body.pipeThrough(splitter()).pipeTo(segments);
 * ```
 *
 * It splits into the recording it is given, which has the report afterwards; by
 * default into one that keeps no media. An error is a WebmendError on both sides:
 * the stream is not WebM, or its header is damaged.
 */
export function splitter(recording = new Recording({ keep: false })): TransformStream<Chunk, Segment> {
  const pass = (controller: TransformStreamDefaultController<Segment>) => {
    const segments: Segment[] = recording.takeClusters();
    for (let header; (header = recording.takeHeader()); ) segments.push(header);
    for (const segment of segments.sort((a, b) => a.start - b.start)) controller.enqueue(segment);
  };
  return new TransformStream({
    async transform(chunk, controller) {
      await recording.pushChunk(chunk);
      pass(controller);
    },
    async flush(controller) {
      await recording.finish();
      pass(controller);
    },
  });
}
