// The events of a recording: what pages would have to look for again and again.

import type { Dropped, Report } from "./base/types.js";

/** What a recording dispatches. */
export interface RecordingEvents {
  /** `report`, and with it `duration` and `tracks`, may have more: at most once a task. */
  change: Event;
  /** The report's `dropped` has another entry, which is the `detail`. */
  damage: CustomEvent<Dropped>;
  /** The recording is finished, and `detail` is the report. If it fails or is closed first, only `finished` tells. */
  finish: CustomEvent<Report>;
}

type Given = Parameters<EventTarget["addEventListener"]>;
type Listener<Type extends keyof RecordingEvents> = ((event: RecordingEvents[Type]) => unknown) | null;

/** An EventTarget with the events of a recording. */
export interface RecordingTarget extends EventTarget {
  addEventListener<Type extends keyof RecordingEvents>(type: Type, listener: Listener<Type>, options?: Given[2]): void;
  addEventListener(...all: Given): void;
  removeEventListener<Type extends keyof RecordingEvents>(type: Type, listener: Listener<Type>, options?: Given[2]): void;
  removeEventListener(...all: Given): void;
}

/** EventTarget. Where there is none, of which `isSupported` tells, importing must do no harm. */
export const Target = (globalThis.EventTarget ?? Object) as unknown as new () => RecordingTarget;

/** What of a recording the events are made of. */
interface Source extends EventTarget {
  readonly report: Report;
  readonly finished: Promise<Report>;
  watch(changed: () => void): () => void;
}

/** Dispatches the events of a recording, in tasks of their own, so that no listener is called in the midst of anything. @internal */
export function announce(recording: Source): void {
  let timer: ReturnType<typeof setTimeout> | 0 | undefined;
  let damages = 0;
  const dispatch = (type: keyof RecordingEvents, detail?: unknown) => recording.dispatchEvent(new CustomEvent(type, { detail }));
  const tell = () => {
    timer = undefined;
    for (const { dropped } = recording.report; damages < dropped.length; damages++) dispatch("damage", dropped[damages]);
    dispatch("change");
  };
  recording.watch(() => (timer ??= setTimeout(tell)));
  const end = (report?: Report) => {
    clearTimeout(timer);
    if (report) {
      tell();
      dispatch("finish", report);
    }
    timer = 0; // for good
  };
  recording.finished.then(end, () => end());
}
