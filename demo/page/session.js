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
  /** Blobs that were lost on purpose. */
  lost = 0;
  /** Why not all that was recorded could be split, if so. */
  failure = null;
  /** Milliseconds from when the blob came that completed the last cluster to when that could be taken. */
  latency = null;
  began = new Date();
  /** What its copy on this computer is called, and its upload. */
  name = crypto.randomUUID();
  #stream;
  #sliced;
  #recorder;
  #recording;
  #listener;
  #loses = false;
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
    this.#stream = stream;
    this.#sliced = timeslice !== undefined;
    this.#recording = new webmend.Recording({ spool: { name: this.name, onWarning: listener.problem } });
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

  /** Seconds of media that are complete. */
  get duration() {
    return this.#recording.duration;
  }

  /** The media type with codecs, as exactly as it is known by now. */
  get mimeType() {
    return this.#recording.mimeType;
  }

  get hasVideo() {
    return this.header?.tracks.some((track) => track.type === "video") ?? false;
  }

  /** Bytes of memory that the module has. */
  get memory() {
    return this.#recording.memory;
  }

  /** Where bytes are lost, as { start, end } in seconds. */
  get losses() {
    const inside = this.#recording.report.dropped.filter(({ before, after }) => after !== null && after > before);
    return inside.map(({ before, after }) => ({ start: before, end: after }));
  }

  /** Where there is no sound, though nothing is lost, as { start, end } in seconds. */
  get gaps() {
    return this.#recording.report.gaps;
  }

  /**
   * Shows in a video what is being recorded. Where all of it comes at the end there is
   * nothing to rewind, and the source is shown as it is now.
   */
  async preview(video) {
    if (this.#sliced) return this.#recording.preview(video, { keepSeconds: 60, onError: this.#listener.problem });
    const live = () => video.play().catch(() => {}); // the recording does not depend on its view
    video.srcObject = this.#stream;
    live();
    return { start: 0, end: 0, isLive: true, live, close: () => (video.srcObject = null) };
  }

  /** All that is recorded so far, as a file in which players can seek. */
  seekable() {
    return this.#recording.seekable();
  }

  /** The same as parts, while it is recorded. */
  parts(options) {
    return this.#recording.parts(options);
  }

  /** A part of it, in seconds. */
  clip(range) {
    return this.#recording.clip(range);
  }

  /** The header and some clusters, as they were recorded: a file too. */
  asRecorded(clusters) {
    return new Blob(
      [this.header, ...clusters].map((part) => part.blob()),
      { type: this.mimeType },
    );
  }

  /** Lets go of the recording. Its copy stays on this computer. */
  close() {
    this.#recording.close();
  }

  /** Lets go of the recording, and deletes its copy. */
  discard() {
    return this.#recording.discard();
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

  /** Loses the next blob, as a network would, to show what then comes of it. */
  loseNext() {
    this.#loses = true;
  }

  async #push(blob) {
    if (this.#loses && this.header && blob.size > 0) {
      this.#loses = false;
      this.lost++;
      return;
    }
    const came = performance.now();
    this.blobs++;
    this.bytes += blob.size;
    try {
      await this.#recording.pushChunk(blob);
    } catch (error) {
      this.failure ??= error.message;
      this.#listener.problem(error);
      this.stop(); // what follows damage cannot be split
    }
    if (this.#take()) this.latency = performance.now() - came;
    this.#listener.change();
  }

  /** Whether there were clusters to take. */
  #take() {
    this.header ??= this.#recording.takeHeader();
    const clusters = this.#recording.takeClusters();
    this.clusters.push(...clusters);
    return clusters.length > 0;
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
      this.#listener.change();
      this.#listener.end(report);
    } catch (error) {
      this.#listener.end(null, error);
    }
  }
}
