// The stage: a picture with one bar below it, for what is being recorded and for files.

import { clock } from "./format.js";

const edge = 0.25; // seconds: whoever seeks as near to the end of what is recorded wants to be live

export class Player {
  #video;
  #controls;
  #onTime;
  #preview = null;
  #file = null; // { url, offset, length }
  #silent = false; // whether files are to be
  #turn = 0; // counts what is shown
  #target = null; // where to seek once the picture is where it was sent before
  #shown = "";

  /**
   * @param {HTMLVideoElement} video
   * @param {Record<"bar" | "play" | "scrub" | "time" | "live" | "mute" | "full", HTMLElement>} controls
   * @param {(state: { time: number, end: number, live: boolean }) => void} onTime
   *   is told where in the recording the picture is, as it goes
   */
  constructor(video, controls, onTime) {
    this.#video = video;
    this.#controls = controls;
    this.#onTime = onTime;
    const { play, scrub, live, mute, full } = controls;
    play.onclick = () => this.toggle();
    live.onclick = () => this.#live();
    mute.onclick = () => this.#mute();
    full.onclick = () => this.#fullscreen();
    scrub.oninput = () => this.seek(scrub.valueAsNumber);
    scrub.onkeydown = (event) => this.#key(event);
    video.onclick = () => this.toggle();
    video.onseeked = () => this.#goOn();
    const next = () => {
      this.#update();
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  /**
   * Shows what is being recorded, silently: a microphone would hear it.
   * @param {(video: HTMLVideoElement) => Promise<Preview>} begin
   */
  async showPreview(begin) {
    this.clear();
    this.#video.muted = true;
    const turn = this.#turn;
    const preview = await begin(this.#video);
    if (turn === this.#turn) this.#preview = preview;
    else preview.close(); // something else is shown meanwhile
  }

  /**
   * Shows a file.
   * @param {Blob} blob
   * @param {{ offset?: number, length: number, autoplay?: boolean }} options where in the
   *   recording it begins, and how long it is should it not say so itself
   */
  async showFile(blob, { offset = 0, length, autoplay = false }) {
    this.clear();
    this.#file = { url: URL.createObjectURL(blob), offset, length };
    this.#video.muted = this.#silent;
    this.#video.src = this.#file.url;
    if (autoplay) await this.#video.play();
  }

  clear() {
    this.#turn++;
    this.#preview?.close();
    this.#video.pause();
    this.#video.removeAttribute("src");
    this.#video.srcObject = null;
    this.#video.load();
    if (this.#file) URL.revokeObjectURL(this.#file.url);
    this.#preview = this.#file = this.#target = null;
  }

  toggle() {
    if (!this.#preview && !this.#file) return;
    if (!this.#video.paused) return this.#video.pause();
    this.#video.play().catch(() => {}); // its error event says why
  }

  /** Goes to a time of what is shown. While the picture is on its way, only the last wish counts. */
  seek(time) {
    const [start, end] = this.#extent();
    if (this.#preview && time > end - edge) return this.#live();
    this.#target = Math.min(Math.max(time, start), end);
    if (!this.#video.seeking) this.#goOn();
  }

  /** Goes to a time of the recording. */
  seekRecording(time) {
    this.seek(time - (this.#file?.offset ?? 0));
  }

  #goOn() {
    if (this.#target === null) return;
    this.#video.currentTime = this.#target;
    this.#target = null;
  }

  #live() {
    this.#target = null;
    this.#preview.live();
  }

  #mute() {
    this.#video.muted = !this.#video.muted;
    if (this.#file) this.#silent = this.#video.muted;
  }

  #fullscreen() {
    const stage = this.#controls.bar.parentElement;
    if (document.fullscreenElement) document.exitFullscreen();
    else stage.requestFullscreen?.().catch(() => {}); // the picture stays where it is
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 5 : 1;
    const by = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageDown: -10, PageUp: 10 }[event.key];
    if (event.key === " ") this.toggle();
    else if (by !== undefined) this.seek(this.#time() + by);
    else return;
    event.preventDefault();
  }

  #time() {
    return this.#target ?? this.#video.currentTime;
  }

  /** What can be sought to. */
  #extent() {
    if (this.#preview) return [this.#preview.start, this.#preview.end];
    const { duration } = this.#video;
    return [0, Number.isFinite(duration) ? duration : (this.#file?.length ?? 0)];
  }

  /** Writes only what has changed: it is called for every frame. */
  #update() {
    const [start, end] = this.#extent();
    const time = Math.min(Math.max(this.#time(), start), Math.max(start, end));
    const live = this.#preview?.isLive ?? false;
    const { paused, muted } = this.#video;
    const state = [start, end.toFixed(2), time.toFixed(2), live, paused, muted, this.#file?.url].join();
    if (state === this.#shown) return;
    this.#shown = state;

    const { bar, play, scrub, time: text, live: button, mute } = this.#controls;
    bar.disabled = !this.#preview && !this.#file;
    scrub.disabled = end <= start;
    scrub.min = start;
    scrub.max = end;
    scrub.value = time;
    scrub.style.setProperty("--played", end > start ? (time - start) / (end - start) : 0);
    scrub.setAttribute("aria-valuetext", `${clock(time)} of ${clock(end)}`);
    text.textContent = `${clock(time)} / ${clock(end)}`;
    play.setAttribute("aria-label", paused ? "Play" : "Pause the picture");
    play.dataset.icon = paused ? "play" : "pause";
    mute.setAttribute("aria-label", muted ? "Turn the sound on" : "Turn the sound off");
    mute.dataset.icon = muted ? "muted" : "sound";
    button.hidden = !this.#preview;
    button.setAttribute("aria-pressed", live);
    this.#onTime({ time: time + (this.#file?.offset ?? 0), end, live });
  }
}
