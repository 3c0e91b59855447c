// What the module reports, as public types. Offsets and sizes are bytes from the start of the
// stream, times and durations seconds.

import type { ErrorCode } from "./codes.js";

/** The bytes of the stream from `start` up to `end`. */
export interface Range {
  start: number;
  end: number;
}

/** One track of a recording. What the header does not say has its default value. */
export interface Track {
  /** What blocks call the track. Browsers do not always give a type the same number. */
  number: number;
  type: "video" | "audio" | "subtitle" | "other";
  /** Matroska's name of the codec: `V_VP8`, `A_OPUS`. */
  codecId: string;
  /**
   * The codec as a media type names it: `vp8`, `vp09.00.30.08`, `opus`. Where the
   * header does not tell the profile it is the short form (`vp9`, `avc1`) until the
   * first key frame tells; `""` for a codec that has no such name.
   */
  codec: string;
  name: string;
  language: string;
  /** Seconds that the decoder puts out before the first real sample. */
  codecDelay: number;
  /** Seconds that must be decoded before the point sought. */
  seekPreRoll: number;
  /** Seconds a frame lasts, 0 if the header does not say. */
  defaultDuration: number;
  /** Video: pixels. */
  width?: number;
  /** Video: pixels. */
  height?: number;
  /** Video: whether frames carry an alpha channel. */
  alpha?: boolean;
  /** Audio: Hz. */
  sampleRate?: number;
  /** Audio. */
  channels?: number;
  /** Audio: bits a sample, 0 if the header does not say. */
  bitDepth?: number;
}

/** What a header says. */
export interface HeaderFacts {
  /** The media type with codecs: `video/webm; codecs="vp8,opus"`. */
  mimeType: string;
  /** `webm` or `matroska`. */
  docType: string;
  muxingApp: string;
  writingApp: string;
  /** Nanoseconds a tick, usually 1,000,000. */
  timestampScale: number;
  /** In the order of the header. */
  tracks: Track[];
}

/** What is known of a cluster. */
export interface ClusterFacts extends Range {
  /** The index of the recording it belongs to: 0, or more after a recorder was restarted. */
  recordingIndex: number;
  /** Its Timestamp element, in ticks as recorded. */
  timestamp: number;
  /** Its Timestamp in seconds. */
  time: number;
  /** Seconds from its Timestamp to the end of its last frame. */
  duration: number;
  /** Whether its size is known, not to be found by reading on. */
  sizeKnown: boolean;
  /** Whether its end is missing, as the stream ended or broke inside it. */
  cut: boolean;
  /** Whether it is a fragment: consecutive blocks of a cluster that was not complete when it was taken. */
  fragment: boolean;
  /** Whether a player can begin with it: its first block of video is a key frame, or there is no video. */
  beginsWithKeyFrame: boolean;
  /** SimpleBlocks and BlockGroups. */
  blocks: number;
  /** Blocks that a player can begin at: video key frames or, without video, all blocks of audio. */
  keyframes: number;
  /** The same by track, for the tracks that have blocks in it. Of audio all blocks are key frames. */
  tracks: { number: number; blocks: number; keyframes: number }[];
}

/** What is wrong with a stream, and where. */
export interface Problem {
  /** A name for programs, which does not change: `truncated`, `overrun`, `not-webm`, … */
  code: ErrorCode;
  /** The element that is wrong, in bytes from the start of the stream. */
  offset: number;
  /** The names of the elements around it and its own: `Segment/Cluster/SimpleBlock`. */
  path: string;
  /** `webm: Cluster at 1042: SimpleBlock at 20480 runs past the end of its parent` */
  message: string;
}

/** What is known of one recording in a stream. */
export interface RecordingFacts extends HeaderFacts {
  /** Where its header is. */
  header: Range;
  /** Seconds from 0 to the end of the last frame. */
  duration: number;
  /** How many clusters are complete. */
  clusters: number;
  /** Blocks that are byte for byte a run that came before: a chunk was pushed twice. Files have them once. */
  repeated: number;
}

/**
 * Accounts for every byte of a stream: the headers of its recordings, their
 * clusters, `other` and `dropped` are all of it, without gap or overlap.
 */
export interface Report {
  /** How many were pushed. */
  bytes: number;
  recordings: RecordingFacts[];
  /** Whole elements that belong to no header or cluster: Cues, Tags or Void between and after clusters. */
  other: Range[];
  /** What is no whole element, as it is damaged or cut short. What is at the end is known at `finish`. */
  dropped: Dropped[];
  /** Where there is no sound though no byte is missing. Nothing is left out for it. The first 1,000. */
  gaps: Gap[];
  /** What is there and cannot be decoded, as bytes before it are lost. Files leave it out. */
  undecodable: Undecodable[];
  /** How many entries these lists do not have, as they are full: `other` has the first 10,000, `gaps` and `undecodable` have the first 1,000. */
  unlisted: number;
  /** Chunks that did not come, of those that are numbered: before `finish`, what is waited for. */
  missing: Missing[];
  /**
   * Why splitting stopped before the end of the stream, or the recorder before it was
   * told to (code `recorder`). Otherwise null: it goes on after damage where it can.
   */
  error: Problem | null;
}

/**
 * Time without sound, longer than three packets and a tenth of a second, though no byte
 * is missing. The recorder stood still, the source was muted or suspended, or a chunk was
 * lost: these look the same. After `Recording.attach`, and if chunks have numbers and none
 * is in `missing`, nothing was lost. Packets that were only late leave no gap. Video alone tells
 * of none, as a picture that does not change need have no frames.
 */
export interface Gap {
  recordingIndex: number;
  /** The numbers of the tracks that have nothing in it; one of them is audio. */
  tracks: number[];
  /** Seconds, where the packet before it ends. */
  start: number;
  /** Seconds, where the next begins. */
  end: number;
  /** The block after it, in bytes from the start of the stream. */
  offset: number;
  /** Whether one chunk ends and the next begins there, as far as that is known. If not, no chunk can be missing. */
  boundary: boolean;
}

/** Frames that files leave out. */
export interface Undecodable {
  /**
   * `no-key-frame`: video between lost bytes and the next key frame of its track;
   * `invalid-block`: blocks of a track that the header does not have; `misplaced`: an
   * element in a cluster that cannot be there, and has no frames.
   */
  reason: "no-key-frame" | "invalid-block" | "misplaced";
  recordingIndex: number;
  /** The number of the track, or that of the first of them. */
  track: number;
  /** Seconds, where the first of them begins. */
  start: number;
  /** Seconds, where the key frame after them begins, or the last of them ends. */
  end: number;
  frames: number;
  /** The block of the first, in bytes from the start of the stream. */
  offset: number;
}

/** Chunks that are missing. */
export interface Missing {
  /** The number of the first of them. */
  first: number;
  /** The number of the last. */
  last: number;
  /** Where they would be, in bytes from the start of the stream. */
  offset: number;
}

/** Bytes that are left out, or with `start` equal to `end` are missing there. */
export interface Dropped extends Range {
  reason: Problem;
  /** Seconds, where the last frame before them ends. */
  before: number;
  /** Seconds, where the cluster after them begins; null if another recording or the end of the stream follows. */
  after: number | null;
}

/** One element of a stream. */
export interface Element {
  /** The specification's name, or the ID as `0x1A2B`. */
  name: string;
  type: "master" | "uinteger" | "integer" | "float" | "string" | "utf-8" | "date" | "binary" | "unknown";
  id: number;
  /** 0 at the root. */
  level: number;
  offset: number;
  /** Bytes of its ID and size. */
  headLength: number;
  /** Bytes of its data, -1 if unknown. */
  size: number;
  /** The first bytes of its data in hexadecimal: 256, 32 of what is binary, none of a master's. */
  data: string;
}
