// Listens to a recorder: what browsers deliver, when, and until when.

import { check, WebmendError } from "./base/error.js";
import { abortSignal, boolean } from "./base/options.js";
import type { RecordingOptions } from "./options.js";

/** What `attach` needs of a MediaRecorder, or of what does as one. */
export interface Recorder {
  readonly state: string;
  readonly mimeType: string;
  stop(): void;
  addEventListener(type: string, listener: { handleEvent(event: any): void }): void;
  removeEventListener(type: string, listener: { handleEvent(event: any): void }): void;
}

/** Options of `Recording.attach`. */
export interface AttachOptions extends RecordingOptions {
  /**
   * Whether the recorder will be started again after it has stopped, for another
   * recording in the same stream: only `finish` ends the stream then. Default false:
   * the stream ends when the recorder stops and is not started again at once.
   */
  restarts?: boolean | undefined;
  /** Lets go of the recorder and closes the recording; `finished` is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What those options must be that a recording has not. @internal */
export const attaching = { restarts: boolean, signal: abortSignal };

/** What is done for a recorder. */
interface Listener {
  push(chunk: Blob): void;
  /** The recorder has failed, for a reason of its own. What it has delivered, and may yet deliver, is good. */
  fault(reason: unknown): void;
  /** All that the recorder recorded has been pushed. */
  end(): void;
  /** Nothing can come of it. */
  fail(reason: Error): void;
}

const types = ["start", "dataavailable", "error", "stop"];

/**
 * How long something can still come after `stop`, in milliseconds: in Firefox now and
 * then the last blob, a task later. And how long `start` can be on its way.
 */
const late = 100;

/** Hears a recorder to the end. @internal */
export class Attachment {
  readonly #recorder: Recorder;
  #listener!: Listener;
  readonly #signal: AbortSignal | undefined;
  /** Whether a `stop` is still to come. */
  #running: boolean;
  /** Whether the end of the recorder's recording is the end of the stream. */
  #last: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Throws a WebmendError if this is no recorder, or one that says it writes what cannot be split. */
  constructor(recorder: Recorder, restarts: boolean | undefined, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    check("mimeType" in Object(recorder) && "state" in recorder, "attach takes a MediaRecorder");
    const error = refusal(recorder.mimeType);
    if (error) throw error;
    this.#recorder = recorder;
    this.#signal = signal;
    this.#running = recorder.state !== "inactive";
    this.#last = !restarts;
  }

  /** Hears the recorder from now on. */
  listen(listener: Listener): void {
    this.#listener = listener;
    for (const type of types) this.#recorder.addEventListener(type, this);
    this.#signal?.addEventListener("abort", this);
  }

  handleEvent(event: Event & { data?: Blob; error?: unknown }): void {
    switch (event.type) {
      case "start": {
        this.#running = true;
        clearTimeout(this.#timer);
        const error = refusal(this.#recorder.mimeType); // not every browser knows it before
        if (error) this.#listener.fail(error);
        break;
      }
      case "dataavailable":
        if (event.data!.size > 0) this.#listener.push(event.data!);
        if (!this.#running) this.#wait();
        break;
      case "error":
        this.#listener.fault(event.error); // and it stops, or has stopped
      case "stop":
        this.#running = this.#recorder.state !== "inactive"; // when it was started again at once
        if (!this.#running) this.#wait();
        break;
      case "abort":
        this.#listener.fail(this.#signal!.reason);
    }
  }

  /** Makes the recorder stop, if it has not, and this its last recording. */
  stop(): void {
    this.#last = true;
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    else if (!this.#running) this.#wait();
  }

  /** Lets go of the recorder. */
  detach(): void {
    clearTimeout(this.#timer);
    for (const type of types) this.#recorder.removeEventListener(type, this);
    this.#signal?.removeEventListener("abort", this);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#running = this.#recorder.state !== "inactive"; // started again, and its event can come a second later
      if (this.#last && !this.#running) this.#listener.end();
    }, late);
  }
}

/** What is wrong with the type that a recorder writes, if it names one. */
function refusal(mimeType: string): WebmendError | null {
  if (mimeType === "" || /^(video|audio)\/(webm|x-matroska)/i.test(mimeType)) return null;
  const wanted = /^a/.test(mimeType) ? "audio/webm" : "video/webm";
  return new WebmendError({ code: "not-webm", message: `webmend: the recorder writes ${mimeType}, not WebM: give MediaRecorder the mimeType ${wanted}` });
}
