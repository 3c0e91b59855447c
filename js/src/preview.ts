// The live preview, which plays a recording while it is being recorded. Loaded on demand.

/// <reference lib="esnext.disposable" preserve="true" />

import { read, type Bytes } from "./base/bytes.js";
import { check, tell, WebmendError } from "./base/error.js";
import { abortSignal, callback, checkOptions, number } from "./base/options.js";
import type { RecordingFacts } from "./base/types.js";
import { begun, mustKeep, type Inside } from "./inside.js";
import type { MediaFile } from "./media/plan.js";

/** A `<video>` or `<audio>` element, for who has the types of the DOM. */
export type MediaElement = typeof globalThis extends { HTMLMediaElement: { prototype: infer Element } } ? Element : object;

/** Options of a preview. */
export interface PreviewOptions {
  /**
   * Seconds of what has been shown that the browser keeps at hand, and at most as many of
   * what is to come: what is further away is taken from the recording again when it is
   * sought. Default 30. The browser may keep less if it lacks memory.
   */
  keepSeconds?: number | undefined;
  /** Is told what ends the preview before you close it. Default: `reportError`. */
  onError?: ((error: unknown) => void) | undefined;
  /** Closes the preview. */
  signal?: AbortSignal | undefined;
}

/** Below this many seconds more than it must be, what is shown is not too late. */
const tolerance = 0.3;

/** The previews by their elements. */
const previews = new WeakMap<object, Preview>();

/** How many bytes a buffer is given at once: a browser may have room for some. */
const pieceLength = 256 << 10;

/** What a buffer wants next: of a recording what comes from an offset of the stream on or, if that is -1, from a time on. */
interface Next {
  recording: number;
  offset: number;
  time: number;
}

/**
 * A recording that is played while it is being recorded, in a `<video>` or `<audio>`
 * element: see `Recording.preview`. The element's own controls, events and
 * `currentTime` work as with any media: all that was recorded, from `start` to `end`,
 * can be sought.
 *
 * A recorder that is restarted continues at the end of what it recorded before.
 */
export class Preview {
  readonly #media: MediaElement;
  readonly #live: Inside;
  readonly #onError: (error: unknown) => void;
  readonly #listening = new AbortController();
  readonly #unwatch: () => void;
  #keep: number;
  #url = "";
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #type = "";
  #next: Next | null = null;
  #rest: Bytes = new Uint8Array(0); // of what it is being given
  #begins: number[] = []; // where in time the key frames are that begin its clusters
  #sought: number | null = null; // where the page wants to be
  #jumped: number | null = null; // where the preview itself goes
  #noticed = 0; // where the element was sought last, as its events say
  #following = true;
  #arriving = true; // at the edge, for the first time or again
  #burst = 0; // how many seconds come at once
  #due = 0; // up to where the buffer should have everything
  #mended = -1; // where it ended when it did not
  #shown = 0; // how many seconds a file has that is shown instead
  #start = 0;
  #end = 0;
  #wake = () => {};
  #news = false;
  #closed = false;

  /**
   * Takes the element over from the preview that has it, if there is one.
   *
   * @internal
   */
  constructor(media: MediaElement, live: Inside, options: PreviewOptions = {}) {
    options = checkOptions(options, { keepSeconds: number, onError: callback, signal: abortSignal });
    options.signal?.throwIfAborted();
    mustKeep(live.contents);
    check("srcObject" in Object(media) && "canPlayType" in media, `a preview needs a <video> or <audio> element to play in, not ${media}`);
    if (live.contents.state === "closed") {
      throw new WebmendError({ code: "finished", message: "webmend: the recording was closed, and has nothing left to play: close it after its preview" });
    }
    previews.get(media)?.close();
    previews.set(media, this);
    this.#media = media;
    this.#live = live;
    this.#keep = Math.max(1, options.keepSeconds ?? 30);
    this.#onError = options.onError ?? ((error) => reportError(error));
    this.#unwatch = live.contents.watch(() => (live.contents.state === "closed" ? this.close() : this.#tell()));
    const on = (name: string, act: () => void) => media.addEventListener(name, act, { signal: this.#listening.signal });
    on("seeking", () => this.#seeking());
    on("pause", () => {
      if (!this.#arriving && !media.ended) this.#following = false;
    });
    on("timeupdate", () => this.#tell());
    on("waiting", () => this.#tell());
    on("ended", () => this.#tell());
    on("error", () => this.#tell());
    options.signal?.addEventListener("abort", () => this.close(), { signal: this.#listening.signal });
    this.#run();
  }

  /** Seconds on the element's timeline where what was recorded begins. */
  get start(): number {
    return this.#start;
  }

  /** Seconds on the element's timeline up to which there is something recorded. It grows. */
  get end(): number {
    return this.#end;
  }

  /** Whether what is shown is the newest that there is, and stays so. */
  get isLive(): boolean {
    return this.#following;
  }

  /** Goes to the newest that there is, and stays there. */
  live(): void {
    this.#following = this.#arriving = true;
    this.#tell();
  }

  /** Ends the preview, and frees what it has; `using` calls it too. The element is left empty. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    previews.delete(this.#media);
    this.#unwatch();
    this.#listening.abort();
    this.#wake();
    if (this.#url) this.#show(null);
  }

  /** Says that there may be something to do. */
  #tell(): void {
    this.#news = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#news = false;
      try {
        if ((await this.#step()) || this.#news || this.#closed) continue;
      } catch (error) {
        if (this.#closed) return;
        if (this.#source && this.#media.error) continue;
        this.close();
        return tell(this.#onError, error);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Does the next thing that there is to do, and returns whether there was one. */
  async #step(): Promise<boolean> {
    const recordings = begun(this.#live.contents);
    this.#end = Math.max(this.#end, offsetOf(recordings, recordings.length));
    if (this.#source && this.#media.error) {
      // The browser does not take what it said that it would: a file must do.
      this.#source = this.#buffer = null;
      this.#arriving = true;
    }
    if (!this.#url) return recordings.length > 0 && this.#open();
    if (!this.#buffer) return this.#showFile();
    if (this.#isAway()) await this.#moveTo(recordings);
    const more = await this.#extend(recordings);
    this.#place();
    await this.#trim();
    return more;
  }

  /** What there is, up to the next key frame or the end of what is recorded: empty if that is nothing. */
  async #part({ recording, offset, time }: Next): Promise<MediaFile & { next: number }> {
    const { made, next } = await this.#live.make("live", { recordingIndex: recording }, offset, time);
    return { ...made, next };
  }

  /** Begins to play, by Media Source Extensions or, where they do not take what is recorded, a file. */
  async #open(): Promise<boolean> {
    const first = await this.#part({ recording: 0, offset: -1, time: 0 });
    if (first.blob.size === 0 || this.#closed) return false;
    this.#type = (await this.#initialization(0)).type;
    if (this.#closed) return false; // the element may be another preview's
    const Source = globalThis.MediaSource ?? (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource;
    if (!Source?.isTypeSupported(this.#type)) return this.#showFile();
    this.#start = first.start;
    const source = new Source();
    if (Source !== globalThis.MediaSource) this.#media.disableRemotePlayback = true; // or it never opens
    this.#source = source;
    this.#show(source);
    await this.#wait(source, "sourceopen");
    this.#buffer = source.addSourceBuffer(this.#type);
    return true;
  }

  /** Plays a source or a Blob, or nothing any more. */
  #show(what: MediaSource | Blob | null): void {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
    this.#media.srcObject = null;
    this.#media.removeAttribute("src");
    if (what) {
      this.#url = URL.createObjectURL(what);
      this.#media.src = this.#url;
    }
    this.#media.load();
  }

  /** Whether the buffer neither has nor goes on to what is wanted. */
  #isAway(): boolean {
    if (!this.#next) return true;
    if (this.#sought !== null) {
      const at = this.#sought;
      this.#sought = null;
      return !this.#ranges().some((r) => r.start - 0.1 <= at && at < r.end);
    }
    return this.#arriving && this.#bufferEnd < this.#end - this.#keep;
  }

  /** Begins again at the key frame before what is wanted. */
  async #moveTo(recordings: RecordingFacts[]): Promise<void> {
    const at = this.#arriving ? Infinity : this.#media.currentTime;
    const recording = recordings.findLastIndex((_, i) => offsetOf(recordings, i) <= Math.max(0, at));
    if (this.#next) {
      this.#buffer!.remove(0, Infinity);
      await this.#wait(this.#buffer!, "updateend");
    }
    this.#begins = [];
    await this.#begin(recordings, { recording, offset: -1, time: at - offsetOf(recordings, recording) });
  }

  /** What the buffer must have before anything of a recording; its type is the media type. */
  async #initialization(recording: number): Promise<Blob> {
    return (await this.#live.make("initialization", { recordingIndex: recording })).made.blob;
  }

  /** Makes the buffer ready for a recording. */
  async #begin(recordings: RecordingFacts[], next: Next): Promise<void> {
    const buffer = this.#buffer!;
    const head = await this.#initialization(next.recording);
    if (this.#source!.readyState === "open") buffer.abort(); // whatever cluster is open
    if (head.type !== this.#type) buffer.changeType((this.#type = head.type));
    buffer.timestampOffset = offsetOf(recordings, next.recording);
    await this.#append(head);
    this.#next = next;
  }

  /** Adds what comes next, if it is not too far ahead, and returns whether there is more. */
  async #extend(recordings: RecordingFacts[]): Promise<boolean> {
    const next = this.#next!;
    const source = this.#source!;
    const end = this.#bufferEnd;
    if (!(await this.#drain())) return false;
    if (end - this.#media.currentTime > this.#keep && !this.#arriving) return false;
    const part = await this.#part(next);
    if (part.blob.size > 0) {
      const offset = offsetOf(recordings, next.recording);
      next.offset = part.next;
      this.#due = offset + part.end;
      this.#end = Math.max(this.#end, this.#due);
      if (!(await this.#append(part.blob, offset + part.start))) return false;
      if (this.#following && !this.#arriving) this.#burst = Math.max(this.#burst * 0.9, Math.min(5, this.#bufferEnd - end));
    } else if (this.#due > end + tolerance / 4 && end !== this.#mended) {
      // After a frame that lasted much longer than those before it, Firefox drops what
      // comes up to the next key frame, unless both are appended at once.
      this.#mended = end;
      await this.#begin(recordings, { ...next, offset: -1, time: end - offsetOf(recordings, next.recording) });
    } else if (next.recording + 1 < recordings.length) {
      await this.#begin(recordings, { recording: next.recording + 1, offset: 0, time: 0 });
    } else {
      this.#arrive();
      if (this.#live.contents.state === "finished" && source.readyState === "open") source.endOfStream();
      return false;
    }
    if (source.readyState === "open") source.setLiveSeekableRange(this.#start, this.#end);
    return true;
  }

  /** Appends to the buffer what there is room for. Returns whether that was all. */
  async #append(blob: Blob, begin = 0): Promise<boolean> {
    this.#rest = await read(blob, "what was recorded");
    if (this.#rest[0] === 0x1f) this.#begins = [...this.#begins.filter((b) => b < begin), begin]; // a Cluster
    return this.#drain();
  }

  /** Appends what has not been appended yet. The browser may have room for it only once more has been shown. */
  async #drain(): Promise<boolean> {
    const buffer = this.#buffer!;
    while (this.#rest.length > 0 && !this.#closed) {
      try {
        buffer.appendBuffer(this.#rest.subarray(0, pieceLength));
      } catch (error) {
        if ((error as Error).name !== "QuotaExceededError") throw error;
        this.#keep = Math.max(1, this.#keep / 2);
        return false;
      }
      this.#rest = this.#rest.subarray(pieceLength);
      await this.#wait(buffer, "updateend");
    }
    return !this.#closed;
  }

  /** Frees what was shown too long ago, up to a key frame: a browser would remove what refers to it, too. */
  async #trim(): Promise<void> {
    const until = this.#media.currentTime - this.#keep;
    const old = this.#begins.findLastIndex((begin) => begin <= until);
    if (old <= 0 || this.#buffer!.updating) return;
    this.#buffer!.remove(0, this.#begins[old]!);
    await this.#wait(this.#buffer!, "updateend");
    this.#begins.splice(0, old);
  }

  /** Once all that there is has been added, is where it ends if it is to be. */
  #arrive(): void {
    if (!this.#arriving || this.#ranges().length === 0) return;
    this.#arriving = false;
    this.#jump(Math.max(this.#ranges().at(-1)!.start, this.#bufferEnd - this.#behind));
    this.#media.play().catch(() => {}); // which a page may not be allowed to before a click
  }

  /** How far behind the end of the buffer it plays without waiting for more. */
  get #behind(): number {
    return Math.max(0.1, this.#burst);
  }

  /** Sets right where it plays: not too late, and in no hole. */
  #place(): void {
    const { currentTime: now, paused, seeking, readyState } = this.#media;
    const ranges = this.#ranges();
    if (this.#arriving || this.#sought !== null || (seeking && now !== this.#noticed)) return;
    const late = this.#bufferEnd - now - this.#behind;
    if (this.#following && !paused && !seeking && late > tolerance) this.#jump(this.#bufferEnd - this.#behind);
    else {
      // At the end of a range that is not the last, nothing more will come to go on with.
      const current = ranges.find((r) => r.start <= now && now < r.end);
      const after = ranges.find((r) => r.start > now);
      if (after && (!current || (current.end - now < tolerance && readyState < HTMLMediaElement.HAVE_FUTURE_DATA))) this.#jump(after.start);
    }
  }

  #jump(time: number): void {
    this.#media.currentTime = this.#jumped = time;
  }

  #seeking(): void {
    const at = this.#media.currentTime;
    const own = this.#jumped !== null && Math.abs(at - this.#jumped) < 0.001;
    this.#jumped = null;
    this.#noticed = at;
    if (own || !this.#buffer) return;
    this.#sought = at;
    this.#arriving = false;
    this.#following = at > this.#end - Math.min(1, this.#behind) - tolerance;
    this.#tell();
  }

  #ranges(): { start: number; end: number }[] {
    const { buffered } = this.#buffer!;
    return Array.from({ length: buffered.length }, (_, i) => ({ start: buffered.start(i), end: buffered.end(i) }));
  }

  get #bufferEnd(): number {
    return this.#ranges().at(-1)?.end ?? this.#start;
  }

  /** Plays a file of what there is, and another where that ends. */
  async #showFile(): Promise<boolean> {
    const isOver = this.#media.ended || this.#arriving || !this.#url;
    if (!isOver || this.#end - this.#shown < tolerance) return false;
    const from = this.#arriving ? Math.max(0, this.#end - 1) : this.#media.currentTime;
    const file = (await this.#live.make("seekable", {})).made.blob;
    if (this.#closed) return false;
    this.#arriving = false;
    this.#shown = this.#end;
    this.#show(file);
    this.#media.currentTime = from;
    this.#media.play().catch(() => {});
    return false;
  }

  /** Waits for an event, or until it is of no more use. */
  #wait(target: EventTarget, name: string): Promise<unknown> {
    return new Promise((resolve) => {
      const once = { once: true, signal: this.#listening.signal };
      target.addEventListener(name, resolve, once);
      this.#media.addEventListener("error", resolve, once);
      this.#listening.signal.addEventListener("abort", resolve, { once: true });
      if (this.#closed) resolve(null);
    });
  }
}
export interface Preview extends Disposable {}
if (Symbol.dispose) Preview.prototype[Symbol.dispose] = Preview.prototype.close;

/** Where the time 0 of a recording is on the element's timeline: where the one before it ends. */
function offsetOf(recordings: RecordingFacts[], i: number): number {
  return recordings.slice(0, i).reduce((offset, { duration }) => offset + duration, 0);
}
