// What a recording offers the preview and the upload, whose scripts are loaded on demand.

import { WebmendError } from "./base/error.js";
import type { RecordingFacts, Report } from "./base/types.js";
import type { MakeOptions, MediaFile, PlanKind } from "./media/plan.js";
import type { Store } from "./media/store.js";

/** What previews and uploads have of a recording. */
export interface Inside {
  contents: Found;
  finished: Promise<unknown>;
  make(kind: PlanKind, options: MakeOptions, a?: number, b?: number): Promise<{ made: MediaFile; next: number }>;
}

/** What has come of a stream. */
export interface Found {
  /** Whether media is kept. */
  readonly keep: boolean;
  report: Report;
  /** Those whose headers have come. */
  recordings: { store: Store }[];
  state: "recording" | "finished" | "closed";
  /** Calls back whenever there is more, and when it is finished or closed. Returns what ends that. */
  watch(changed: () => void): () => void;
}

/** What is known of the recordings whose headers have come, the last of which may go on. */
export function begun({ report, recordings }: Found): RecordingFacts[] {
  return report.recordings.slice(0, recordings.length);
}

/** Throws a WebmendError unless media is kept. */
export function mustKeep({ keep }: Found): void {
  if (!keep) throw new WebmendError({ code: "not-kept", message: "webmend: the recording was made with keep: false, and has no media" });
}
