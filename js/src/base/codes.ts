// The codes of errors and problems.

/** What is wrong with a stream, as the module finds it. */
type StreamCode =
  /** The stream has no bytes. */
  | "empty"
  /** It is something else than WebM or Matroska, which the message names where it can; or the recorder writes something else. */
  | "not-webm"
  /** There is no Element ID where one must be. */
  | "invalid-id"
  /** There is no Element Data Size after an ID. */
  | "invalid-size"
  /** An element is larger than the one that it is in. */
  | "overrun"
  /** An element that is not a Segment or Cluster has an unknown size. */
  | "unknown-size"
  /** Elements are nested too deep. */
  | "too-deep"
  /** The stream ends inside an element. */
  | "truncated"
  /** An element has a value that it cannot have. */
  | "invalid-value"
  /** A block is too short, or its lacing adds up to more than it holds. */
  | "invalid-block"
  /** Tracks come after the Clusters, so that the whole file is needed. */
  | "tracks-later"
  /** Something must come before this element, and has not: mostly the header, as a recorder was attached too late. */
  | "missing"
  /** An element stands in one that cannot have it. */
  | "misplaced"
  /** A limit is reached: one of `limits`, or another that the message says. */
  | "too-large"
  /** Bytes are missing. */
  | "lost";

/** What keeps a file from being made. */
type PlanCode =
  /** The recording has no cluster, so there is nothing to make. */
  | "no-clusters"
  /** The video has no key frame to begin with. */
  | "no-key-frame"
  /** The range has its start after its end, or lies beyond the recording. */
  | "invalid-range"
  /** One file cannot hold these recordings. */
  | "incompatible"
  /** The recording was made with `keep: false`. */
  | "not-kept";

/** What is wrong around the stream. */
type HostCode =
  /** An argument or an option is not what it must be. */
  | "invalid-argument"
  /** The module, or a script that is loaded when it is needed, could not be loaded. */
  | "load"
  /** A bug in the module, which the same bytes have shown twice. */
  | "trap"
  /** A worker has ended, or answers no more. */
  | "worker"
  /** A Blob could not be read. */
  | "read"
  /** Too many chunks wait for one that is missing. */
  | "waiting"
  /** It came after `finish` or `close`. */
  | "finished"
  /** The recorder failed, or its tracks changed. */
  | "recorder"
  /** A warning: the disk is nearly full. */
  | "low-space"
  /** The copy on disk could not be written, told from others, or deleted; as a warning: what is recorded is in memory alone. */
  | "spool";

/** What a WebmendError or a problem of a stream is, for programs. Codes do not change. */
export type ErrorCode = StreamCode | PlanCode | HostCode;
