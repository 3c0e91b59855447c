// The public names of the package, which both entries export.

export type { AttachOptions, Recorder } from "./attach.js";
export type { Chunk, FileSource } from "./base/blobs.js";
export type { ErrorCode } from "./base/codes.js";
export { WebmendError } from "./base/error.js";
export { clip, join, repair, type Repaired } from "./files.js";
export { init, type InitOptions } from "./engine/load.js";
export type { RecordingEvents } from "./events.js";
export type { WasmSource } from "./engine/compile.js";
export type { ClipRange, JobOptions, MediaFile, MakeOptions } from "./media/plan.js";
export type { Limits, RecordingOptions } from "./options.js";
export { Recording } from "./recording.js";
export { Cluster, Header, type Segment } from "./segment.js";
export type { MediaElement, Preview, PreviewOptions } from "./preview.js";
export { Replay, type ReplayOptions } from "./replay.js";
export type { Recoverable } from "./recoverable.js";
export type { SpoolOptions } from "./spool.js";
export { isSupported } from "./supported.js";
export type { ClusterFacts, Dropped, Gap, HeaderFacts, Missing, Problem, Range, RecordingFacts, Report, Track, Undecodable } from "./base/types.js";
export type { Part, PartsOptions } from "./upload.js";
