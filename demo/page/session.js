// One recording: a MediaRecorder, and webmend beside it.

/**
 * @typedef {object} Listener
 * @property {() => void} change      there is more of it
 * @property {(error: Error) => void} problem  something went wrong; what there is stays
 * @property {(report: object | null, error?: Error) => void} end  it is over; without a report there was no recording
 */

export class Session {
  header = null;
  clusters = [];
  bytes = 0;
  blobs = 0;
  #recorder;
  #recording;
  #listener;
  #ran = 0; // milliseconds up to the last pause
  #since = null; // when it last began to run, null while it does not

  /**
   * Begins to record. Throws what MediaRecorder throws if it cannot.
   * @param {object} webmend the package
   * @param {MediaStream} stream
   * @param {{ mimeType: string, timeslice?: number }} options
   * @param {Listener} listener
   */
  constructor(webmend, stream, { mimeType, timeslice }, listener) {
    this.#listener = listener;
    this.#recording = new webmend.Recording();
    this.#recorder = new MediaRecorder(stream, { mimeType });
    this.#recorder.ondataavailable = (event) => this.#push(event.data);
    this.#recorder.onerror = (event) => listener.problem(event.error ?? new Error("the recorder failed"));
    this.#recorder.onstop = () => this.#stopped();
    this.#recorder.start(timeslice);
    this.#since = performance.now();
  }

  /** Seconds it has recorded, without pauses. */
  get elapsed() {
    return (this.#ran + (this.#since === null ? 0 : performance.now() - this.#since)) / 1000;
  }

  /** The media type with codecs, as exactly as it is known by now. */
  get mimeType() {
    return this.#recording.mimeType;
  }

  get hasVideo() {
    return this.header?.tracks.some((track) => track.type === "video") ?? false;
  }

  /** All that is recorded so far, as a file in which players can seek. */
  seekable() {
    return this.#recording.seekable();
  }

  /** A part of it, in seconds. */
  clip(range) {
    return this.#recording.clip(range);
  }

  /** Lets go of the recording. */
  close() {
    this.#recording.close();
  }

  pause() {
    if (this.#recorder.state !== "recording") return;
    this.#recorder.pause();
    this.#ran = this.elapsed * 1000;
    this.#since = null;
  }

  resume() {
    if (this.#recorder.state !== "paused") return;
    this.#recorder.resume();
    this.#since = performance.now();
  }

  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  async #push(blob) {
    this.blobs++;
    this.bytes += blob.size;
    try {
      await this.#recording.pushChunk(blob);
    } catch (error) {
      this.#listener.problem(error);
      this.stop(); // what follows damage cannot be split
    }
    this.#take();
  }

  #take() {
    this.header ??= this.#recording.takeHeader();
    this.clusters.push(...this.#recording.takeClusters());
    this.#listener.change();
  }

  #stopped() {
    this.#ran = this.elapsed * 1000;
    this.#since = null;
    // In Firefox the last blob can come after `stop`, in a later task.
    setTimeout(() => this.#finish(), 200);
  }

  async #finish() {
    try {
      const report = await this.#recording.finish();
      this.#take(); // the last cluster is complete only now
      this.#listener.end(report);
    } catch (error) {
      this.#listener.end(null, error);
    }
  }
}
