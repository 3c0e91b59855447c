// All of the package in a page's TypeScript, by the strictest rules.

import * as inline from "webmend/inline";
import { blockValue, elementValue, inspect, type BlockFacts, type InspectedElement, type Inspection, type InspectOptions } from "webmend/inspect";
import {
  init,
  isSupported,
  join,
  Recording,
  repair,
  WebmendError,
  Cluster,
  Header,
  type AttachOptions,
  type Chunk,
  type ClusterFacts,
  type Dropped,
  type ErrorCode,
  type FileSource,
  type Gap,
  type HeaderFacts,
  type InitOptions,
  type JobOptions,
  type Limits,
  type MediaFile,
  type MakeOptions,
  type Missing,
  type Part,
  type PartsOptions,
  type Problem,
  type Range,
  type Recorder,
  type RecordingEvents,
  type RecordingFacts,
  type RecordingOptions,
  type Repaired,
  type Report,
  type Segment,
  type Track,
  type Undecodable,
  type WasmSource,
} from "webmend";

declare const recorder: MediaRecorder;
declare const stream: ReadableStream<Uint8Array<ArrayBuffer>>;

const sources: WasmSource[] = ["/webmend.wasm", new URL("https://example.com"), fetch("/webmend.wasm"), new Uint8Array(8), new ArrayBuffer(8)];
const options: InitOptions = { wasm: sources[0]!, worker: true };
await init(options);
await init();

const like: Recorder = recorder;
const attaching: AttachOptions = { keep: true, restarts: false, signal: AbortSignal.timeout(1000) };
const recording = Recording.attach(recorder, attaching);
const limits: Limits = { headerSize: 1 << 20, tracks: 2, clusterSize: 1 << 24, waitingChunks: 10 };
const own: RecordingOptions = { keep: false, strict: true, limits };
const other: Recording = new Recording(own);
const chunks: Chunk[] = [new Blob([]), new ArrayBuffer(1), new SharedArrayBuffer(1), new Uint8Array(1), new DataView(new ArrayBuffer(1))];
for (const chunk of chunks) await other.pushChunk(chunk);
recorder.ondataavailable = (event) => void other.pushChunk(event.data);
await other.pushChunk(chunks[0]!, { sequence: 0 });
// @ts-expect-error: text is no chunk
await other.pushChunk("text").catch(() => {});

const header: Header | null = other.takeHeader();
const facts: HeaderFacts | undefined = header ?? undefined;
const clusters: Cluster[] = other.takeClusters({ partial: true });
for (const cluster of clusters) {
  const known: ClusterFacts = cluster;
  const bytes: Uint8Array<ArrayBuffer> = await cluster.bytes();
  const blobs: Blob[] = [cluster.blob(), cluster.sized(), await cluster.standalone({ fromZero: true })];
  console.log(known.time + known.duration, bytes.length, blobs.length, facts?.mimeType);
}

const partsOptions: PartsOptions = { size: 8 << 20, order: "arrival", expectedSeconds: 3600, recordingIndex: 0 };
const parts: ReadableStream<Part> = recording.parts(partsOptions);
await parts.pipeTo(new WritableStream<Part>({ write: ({ number, offset, blob, last }) => console.log(number + offset + blob.size, last) }));
// @ts-expect-error: there is no such order
recording.parts({ order: "random" });

const segments: ReadableStream<Segment> = recording.segments();
await segments.pipeTo(new WritableStream<Segment>({ write: async (segment) => console.log(segment instanceof Header, (await segment.bytes()).length, segment.sequence + (await segment.crc32())) }));
await segments.pipeTo(
  new WritableStream<Segment>({
    write(segment) {
      if (segment.kind === "header") return console.log(segment.docType);
      console.log(segment.keyframes);
      const narrowed: Cluster = segment;
      // @ts-expect-error: a cluster has no document type
      console.log(narrowed.docType);
    },
  }),
);
const writable: WritableStream<Chunk> = other.writable;
await stream.pipeThrough({ writable, readable: other.segments() }).pipeTo(new WritableStream<Segment>());

recording.addEventListener("change", (event) => console.log(event.type, isSupported()));
recording.addEventListener("damage", ({ detail }) => console.log(detail.reason.code, detail.before), { once: true });
const ended = ({ detail }: RecordingEvents["finish"]): void => console.log(detail.recordings.length);
recording.addEventListener("finish", ended);
recording.removeEventListener("finish", ended);
// @ts-expect-error: damage is no report
recording.addEventListener("damage", ({ detail }) => console.log(detail.recordings));
{
  await using scoped = new Recording();
  await scoped.pushChunk(new Blob());
}

const finished: Report = await recording.finished;
const same: Report = await recording.finish();
const recordings: RecordingFacts[] = finished.recordings;
const [dropped, gap, range]: [Dropped | undefined, Gap | undefined, Range | undefined] = [finished.dropped[0], finished.gaps[0], finished.other[0]];
const [missing, undecodable]: [Missing | undefined, Undecodable | undefined] = [finished.missing[0], finished.undecodable[0]];
const tracks: Track[] = recording.tracks;
console.log(missing?.first, undecodable?.reason === "no-key-frame");
console.log(same, recordings, dropped?.reason.code, gap?.tracks[0], gap?.boundary, range?.end, tracks[0]?.codec, recording.mimeType, recording.duration, like.state);

// What is not wanted may be undefined, or left out.
const signal: AbortSignal | undefined = undefined;
const onProgress: ((done: number) => void) | undefined = undefined;
const none: [JobOptions, AttachOptions, PartsOptions, InspectOptions, InitOptions] = [
  { signal, onProgress, keepUndecodable: undefined },
  { signal, restarts: undefined, keep: undefined, spool: { name: undefined, onWarning: undefined }, header: undefined, limits: { tracks: undefined } },
  { size: undefined, order: undefined, expectedSeconds: undefined, recordingIndex: undefined },
  { signal, onProgress, onHeader: undefined, onElements: undefined, wasm: undefined },
  { wasm: undefined, worker: undefined },
];
other.takeClusters({ partial: undefined });
await other.pushChunk(chunks[0]!, { sequence: undefined });
await recording.clip({ end: undefined, signal });
const code: ErrorCode = "not-webm";
console.log(none.length, code);

// A file may be bytes, a Response, a promise of one, or a list of chunks.
const files: FileSource[] = [new Uint8Array(1), new ArrayBuffer(1), new Response(), fetch("/a.webm"), [new Blob([]), new Uint8Array(1)]];
await join(files);

const job: JobOptions = { signal: AbortSignal.timeout(1000), keepUndecodable: true, onProgress: (done: number) => console.log(done) };
const make: MakeOptions = { ...job, recordingIndex: 0 };
const file: Blob = await recording.seekable(make);
const clip: MediaFile = await recording.clip({ start: 1, end: 2, ...make });
const point: MediaFile = await recording.joinPoint();
const initialization: Blob = await recording.initializationSegment();
const repaired: Repaired = await repair([file, clip.blob], job);
const joined: MediaFile = await join([point.blob, initialization], job);
console.log(repaired.report.bytes, joined.start, joined.end);
recording.close();
{
  using joined = new Recording({ header: header ?? new Blob() });
  await joined.finish();
}

const inspecting: InspectOptions = {
  signal: AbortSignal.timeout(1000),
  onProgress: (done: number) => console.log(done),
  onHeader: (header: HeaderFacts & Range) => console.log(header.tracks.length, header.start),
  onElements: (elements: InspectedElement[]) => elements.forEach((element) => console.log(element.offset, elementValue(element))),
};
const inspection: Inspection = await inspect([file, clip.blob], inspecting);
const block: BlockFacts = { track: 1, timestamp: 1, time: 0.001, keyframe: true, invisible: false, discardable: false, lacing: "none", frames: 1 };
console.log(inspection.elements, inspection.report.bytes, inspection.problems[0]?.message, blockValue(block));

try {
  await inline.init();
} catch (error) {
  if (error instanceof WebmendError) {
    const problem: Problem = error;
    console.log(problem.code.length, problem.offset.toFixed(), problem.path, error.message);
  }
}
// The two entries are of the same types.
const either: Recording = new inline.Recording();
either.close();
