export type { AttachOptions, Recorder } from "./attach.js";
export { WebmendError } from "./error.js";
export { join, repair, type Repaired } from "./files.js";
export { init, type InitOptions } from "./load.js";
export type { WasmSource } from "./compile.js";
export type { JobOptions, Made } from "./plan.js";
export { Cluster, Header, Recording, type Chunk, type Limits, type MakeOptions, type RecordingOptions, type Segment } from "./recording.js";
export { splitter } from "./splitter.js";
export type { ClusterFacts, Dropped, Gap, HeaderFacts, Missing, Problem, Range, RecordingFacts, Report, Track, Undecodable } from "./types.js";
