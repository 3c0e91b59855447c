// The package in Node's TypeScript, which knows no DOM.

import { createReadStream, openAsBlob } from "node:fs";
import { Writable } from "node:stream";
import { Recording, repair, WebmendError } from "webmend";

using recording = new Recording({ keep: false });
for await (const chunk of createReadStream("recording.webm")) await recording.pushChunk(chunk as Buffer);
const report = await recording.finish();
console.log(report.recordings[0]?.duration, recording.takeClusters().map((cluster) => cluster.start));

recording.addEventListener("damage", ({ detail }) => console.log(detail.start));
const piped = new Recording({ keep: false });
const read = createReadStream("recording.webm").pipe(Writable.fromWeb(piped.writable));
for await (const segment of piped.segments()) console.log(read.closed, segment.kind === "cluster" && segment.keyframes);

const { blob } = await repair(await openAsBlob("recording.webm")).catch((error: unknown) => {
  throw error instanceof WebmendError ? new Error(error.code) : error;
});
console.log(blob.size);
