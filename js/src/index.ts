export { WebmendError } from "./error.js";
export { init, type InitOptions } from "./load.js";
export type { WasmSource } from "./module.js";
export { Cluster, Header, Recording, type Chunk } from "./recording.js";
export type { ClusterFacts, HeaderFacts, Problem, Range, RecordingFacts, Report, Track } from "./types.js";
