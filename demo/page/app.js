// Wires the page together: choices, the recording that runs, what is shown of it, and
// what can be kept.

import { clock, count, plural, seconds, size, track } from "./format.js";
import { rememberDownload, rememberFailure } from "./left.js";
import { Player } from "./player.js";
import { Recordings } from "./recordings.js";
import { Session } from "./session.js";
import { formats, likelySource, openSource, typeFor, whyNot } from "./sources.js";
import { ClusterTable } from "./table.js";
import { Timeline } from "./timeline.js";
import { isOnServer } from "./upload.js";

const $ = (id) => document.getElementById(id);

// Nothing may go wrong in the console only.
addEventListener("error", (event) => fail(event.message));
addEventListener("unhandledrejection", (event) => fail(event.reason?.message ?? String(event.reason)));

/** @type {Session | null} the recording that runs, or the last one */
let session = null;
/** @type {import("./upload.js").Upload | null} its upload, if it has one */
let upload = null;
/** @type {Recordings | null} the lists of all others */
let recordings = null;
/** What is being recorded, and how to stop it. */
let source = null;
let webmend = null;
/** The seekable file, once the recording is over. */
let whole = null;
/** @type {{ start: number, end: number } | null} what is chosen, in seconds; null for all of it */
let range = null;
/** @type {Promise<{ blob: Blob, start: number, end: number }> | null} the clip of the range */
let clip = null;
/** Where that is really cut, and its size, once it is made. */
let cut = null;

const controls = { bar: $("bar"), play: $("toggle"), scrub: $("scrub"), time: $("time"), live: $("live"), mute: $("mute"), full: $("full") };
const player = new Player($("video"), controls, showTime);
const timeline = new Timeline($("timeline"), { seek, select: choose });
const pages = { box: $("pages"), text: $("pages-text"), earlier: $("earlier"), later: $("later") };
const table = new ClusterTable($("clusters"), pages, chooseClusters);

start();

async function start() {
  $("source").onchange = listFormats;
  $("record").onclick = $("again").onclick = record;
  $("stop").onclick = () => session.stop();
  $("pause").onclick = pauseOrResume;
  $("scene-instead").onclick = recordScene;
  $("save-file").onclick = () => {
    download("", whole);
    rememberDownload(session.name);
  };
  $("save-last").onclick = saveLast;
  $("inspect").onclick = inspect;
  $("back").onclick = () => (running() ? showLive() : showWhole());
  $("play-clip").onclick = playClip;
  $("save-clip").onclick = saveClip;
  $("no-clip").onclick = () => choose(null, true);
  $("play").onclick = playClusters;
  $("download").onclick = () => download(`-${clustersName()}`, session.asRecorded(selected()));
  $("download-header").onclick = () => download("-header", session.asRecorded([]));
  $("download-all").onclick = () => download("-as-recorded", session.asRecorded(session.clusters));
  $("lose").onclick = () => session.loseNext();
  $("upload").onchange = () => say($("upload").checked ? "What you record goes to this page’s server." : nothingLeaves);
  $("from-key").onclick = () => chooseClusters(keyBefore(indexes().first), indexes().last);
  $("video").onerror = playbackFailed;
  setInterval(showElapsed, 100);
  addEventListener("beforeunload", (event) => (running() || recordings?.sending.size > 0) && event.preventDefault());

  $("source").value = await likelySource();
  if ($("source").value === "scene") say("There is no camera or microphone here, so the drawn scene is chosen.");
  listFormats();
  try {
    webmend = await import("./dist/index.js");
    await Promise.all([webmend.init(), import("./dist/preview.js"), import("./dist/spool.js")]); // now, so that nothing is to be loaded later
  } catch (error) {
    return fail(`webmend could not be loaded: ${error.message}. Run “make build” and reload the page.`);
  }
  setState("idle");
  stage("nothing");
  recordings = new Recordings(webmend, { download, fail });
  recordings.refresh();
  setInterval(() => recordings.look().catch(() => {}), 3000); // it may be right the next time
}

// The recorder

const running = () => ["recording", "paused", "stopping"].includes(document.body.dataset.state);

function setState(state) {
  const focused = document.activeElement?.closest(".actions, .welcome, .problem") != null;
  document.body.dataset.state = state;
  const recorded = !running() && session?.header != null;
  $("welcome").hidden = running() || recorded;
  $("record").disabled = $("again").disabled = state === "opening" || !webmend || $("format").options.length === 0;
  $("stop").hidden = $("pause").hidden = !running();
  $("stop").disabled = $("pause").disabled = state === "stopping";
  $("pause").textContent = state === "paused" ? "Resume" : "Pause";
  $("save-last").hidden = !running() && !recorded;
  $("save-file").hidden = $("inspect").hidden = $("again").hidden = !recorded;
  $("lose").hidden = !running();
  $("choices").disabled = running() || state === "opening";
  // A button that went away must not take the keyboard's place with it.
  if (focused && document.activeElement === document.body) {
    [$("stop"), $("save-file"), $("record")].find((button) => button.checkVisibility())?.focus();
  }
}

function listFormats() {
  const list = formats($("source").value);
  const before = $("format").selectedOptions[0]?.text;
  $("format").replaceChildren(...list.map(({ name, mimeType }) => new Option(name, mimeType, false, name === before)));
  if (list.length === 0) fail("This browser’s MediaRecorder does not write WebM.");
  if (webmend) $("record").disabled = $("again").disabled = list.length === 0;
}

async function record() {
  clearProblem();
  const name = $("source").value;
  const format = $("format").value;
  const timeslice = Number($("timeslice").value) || undefined;
  setState("opening");
  say(name === "scene" ? "" : "Waiting for the browser’s permission…");
  try {
    source = await openSource(name);
  } catch (error) {
    say("");
    setState("idle");
    return fail(whyNot(name, error), name !== "scene");
  }
  let recorded;
  try {
    const mimeType = typeFor(source.stream, format);
    recorded = new Session(webmend, source.stream, { mimeType, timeslice }, listener());
  } catch (error) {
    closeSource();
    say("");
    setState("idle");
    return fail(`This browser cannot record that: ${error.message}`);
  }
  player.clear();
  if (session) letGo(session, upload);
  upload = null;
  session = recorded;
  // A shared screen ends by the browser's own button, perhaps with its sound left on.
  source.stream.getVideoTracks()[0]?.addEventListener("ended", () => recorded.stop());
  begin(timeslice);
}

/** Lets go of the last recording. Its copy stays on this computer, unless the server says that it has all of it. */
async function letGo(last, itsUpload) {
  await itsUpload?.ended;
  if (last.failure) rememberFailure(last.name, last.failure);
  if (itsUpload?.state === "complete" && !last.failure && (await isOnServer(last.name))) await last.discard();
  else last.close();
  recordings.refreshLeft();
}

function recordScene() {
  $("source").value = "scene";
  listFormats();
  record();
}

/** Clears away the last recording and shows the new one. */
function begin(timeslice) {
  whole = range = clip = cut = null;
  $("report").hidden = true;
  $("recording").hidden = false;
  $("tracks").hidden = false;
  $("tracks").textContent = timeslice
    ? "The header comes with the first blobs, then each cluster as it is complete."
    : "There is one blob, at the end: header and clusters come when you stop.";
  table.reset(session.clusters);
  timeline.reset(session.clusters);
  $("sound-only").hidden = source.stream.getVideoTracks().length > 0;
  setState("recording");
  say(source.stream.getAudioTracks().length > 0 ? "Recording." : "Recording, without sound.");
  showLive();
  showProgress();
  showClip();
}

function listener() {
  const uploads = $("upload").checked;
  let headerShown = false;
  return {
    change() {
      if (session.header && !headerShown) {
        headerShown = true;
        table.setHeader(session.header);
        timeline.marks = session.hasVideo;
        $("clusters").classList.toggle("marks", session.hasVideo);
        $("legend").hidden = !session.hasVideo;
        $("tracks").textContent = `Header: ${session.header.tracks.map(track).join(" · ")}`;
        if (uploads) beginUpload(session);
      }
      table.grow();
      timeline.losses = session.losses;
      timeline.gaps = session.gaps;
      timeline.draw();
      showProgress();
      showActions();
    },
    problem: (error) => fail(error.message),
    async end(report, error) {
      closeSource();
      timeline.finish();
      if (report) {
        whole = await session.seekable();
        showReport(report);
      }
      setState("idle");
      say(report ? "The recording is complete." : "");
      $("recording").hidden = !session.header;
      if (whole) showWhole();
      else showNothing();
      showClip();
      if (error) fail(session.bytes === 0 ? "Nothing was recorded: it was stopped before the first data came." : error.message);
    },
  };
}

function pauseOrResume() {
  if (document.body.dataset.state === "paused") {
    session.resume();
    setState("recording");
    say("Recording.");
  } else {
    session.pause();
    setState("paused");
    say("Paused.");
  }
}

function closeSource() {
  source?.stop();
  source = null;
}

function showElapsed() {
  if (session) $("elapsed").textContent = clock(session.elapsed);
}

function showProgress() {
  showUpload();
  $("bytes").textContent = size(session.bytes);
  $("cluster-count").textContent = count(session.clusters.length);
  $("latency").textContent = session.latency === null ? "–" : `${session.latency.toFixed(1)} ms`;
  $("memory").textContent = size(session.memory);
}

// The stage

function showLive() {
  stage("live");
  player.showPreview((video) => session.preview(video));
}

function showWhole() {
  stage("whole");
  player.showFile(whole, { length: session.duration });
}

async function showFile(what, caption, blob, options) {
  stage(what, caption);
  $("back").textContent = running() ? "Back to live" : "Back to the file";
  $("back").hidden = false;
  $("stage").scrollIntoView({ block: "nearest" });
  await player.showFile(blob, { ...options, autoplay: true }).catch((error) => {
    if (error.name !== "AbortError" && !$("video").error) fail(`It does not play: ${error.message}`);
  });
}

function showNothing() {
  player.clear();
  stage("nothing");
}

/** Says what the stage shows: nothing, what is live, the whole file, a clip or clusters. */
function stage(what, caption = "") {
  clearProblem();
  $("stage").dataset.shown = what;
  $("caption").hidden = caption === "";
  $("caption-text").textContent = caption;
  $("back").hidden = true;
}

/** Called as the picture goes on. */
function showTime({ time, end, live }) {
  const { shown } = $("stage").dataset;
  timeline.playhead = shown === "nothing" || end === 0 ? null : time;
  if (shown !== "live" || end === 0) return;
  $("caption").hidden = live;
  $("caption-text").textContent = `${seconds(end - time, 1)} behind`;
}

function seek(time) {
  const { shown } = $("stage").dataset;
  // A clip has only its own time: what is sought outside of it is in the whole.
  if (shown === "clip" || shown === "clusters") (running() ? showLive : showWhole)();
  player.seekRecording(time);
}

function playbackFailed() {
  const error = $("video").error;
  if (!error || !$("video").src) return;
  const why = $("stage").dataset.shown === "clusters" && !$("no-key").hidden ? " It may need clusters that begin with a key frame." : "";
  fail(`This browser does not play that: ${error.message || `error ${error.code}`}.${why}`);
}

// The range and its clip

/** Takes a range of the timeline and, once it is settled, has its clip made. */
async function choose(chosen, settled) {
  range = chosen;
  cut = null;
  timeline.select(range);
  if (!settled) return showClip();
  const made = (clip = range && session.clip(range));
  showClip();
  showSelection();
  const { blob, start, end } = (await made) ?? {};
  if (clip !== made) return; // another range has been chosen meanwhile
  cut = blob ? { start, end, size: blob.size } : null;
  showClip();
}

function showClip() {
  timeline.cut = cut;
  $("play-clip").disabled = $("save-clip").disabled = $("no-clip").disabled = !clip;
  $("clip-text").textContent = clipText();
  showActions();
}

function clipText() {
  if (cut) {
    const early = range.start - cut.start > 0.05 ? ", from the key frame before" : "";
    return `Clip: cut at ${seconds(cut.start, 2)} and ${seconds(cut.end, 2)}${early}. ${size(cut.size)}.`;
  }
  if (range) return `From ${seconds(range.start, 2)} to ${seconds(range.end, 2)}.`;
  return session.clusters.length ? "For a clip, drag across the timeline or move its two handles." : "";
}

async function playClip() {
  const { blob, start, end } = await clip;
  showFile("clip", `Clip, ${start.toFixed(2)}–${seconds(end, 2)}`, blob, { offset: start, length: end - start });
}

async function saveClip() {
  const { blob, start, end } = await clip;
  download(`-clip-${start.toFixed(2)}-${end.toFixed(2)}`, blob);
}

async function saveLast() {
  const end = session.duration;
  const { blob, start } = await session.clip({ start: Math.max(0, end - 30), end });
  const length = Math.round(end - start);
  download(`-last-${length}s`, blob);
  say(`Saved the last ${plural(length, "second")}${length > 30 ? ", from a key frame" : ""}.`);
}

// Clusters, as recorded

/** Takes clusters of the table: it is by time that they are chosen. */
function chooseClusters(first, last) {
  const { clusters } = session;
  const { time, duration } = clusters[last];
  choose({ start: clusters[first].time, end: clusters[last + 1]?.time ?? time + duration }, true);
}

/** The clusters in the range, by index, both included; all if there is no range. */
function indexes() {
  const { clusters } = session;
  const last = clusters.length - 1;
  if (!range) return { first: 0, last };
  const at = clusters.findLastIndex(({ time }) => time <= range.start);
  const to = clusters.findLastIndex(({ time }) => time < range.end);
  return { first: Math.max(at, 0), last: Math.max(at, to, 0) };
}

function selected() {
  const { first, last } = indexes();
  return session.clusters.slice(first, last + 1);
}

function clustersName() {
  const { first, last } = indexes();
  return first === last ? `cluster-${first + 1}` : `clusters-${first + 1}-${last + 1}`;
}

function playClusters() {
  showFile("clusters", `Header and ${clustersName().replaceAll("-", " ").replace(/(\d) (\d)/, "$1–$2")}, as recorded`, session.asRecorded(selected()), {
    length: session.duration,
  });
}

function showSelection() {
  const { first, last } = indexes();
  if (range) table.select(first, last);
  else table.deselect();
  showKeyHint();
}

/** What can be done by now: called as clusters come. */
function showActions() {
  const some = session?.clusters.length > 0;
  $("play").disabled = $("download").disabled = $("download-all").disabled = !some;
  $("download-header").disabled = !session?.header;
  $("save-last").disabled = !some;
  $("lose").disabled = !session?.header;
  if (!some) return;
  if (!range) $("clip-text").textContent = clipText();
  const chosen = selected();
  const bytes = chosen.reduce((total, { start, end }) => total + end - start, 0);
  const text = `${range ? plural(chosen.length, "cluster") : "All clusters"}: ${size(bytes)}. ${range ? "" : "Choose some in the table or on the timeline."}`;
  if ($("selected").textContent !== text) $("selected").textContent = text;
}

/** Says so when the selection does not begin with a picture that can be decoded. */
function showKeyHint() {
  const { clusters, hasVideo } = session;
  const { first, last } = indexes();
  const late = range !== null && hasVideo && clusters[first].keyframes === 0;
  $("no-key").hidden = !late;
  if (!late) return;
  const next = clusters.findIndex((c, i) => i > first && i <= last && c.keyframes > 0);
  const before = keyBefore(first);
  $("no-key-text").textContent =
    `Cluster ${first + 1} has no key frame: ` +
    (next < 0 ? "as recorded, these have no picture. " : `as recorded, the picture begins only in cluster ${next + 1}. `) +
    "Some players show nothing until then, and some refuse the file. A clip begins at the key frame before.";
  $("from-key").hidden = before < 0;
  $("from-key").textContent = `Start from cluster ${before + 1}`;
}

function keyBefore(index) {
  return session.clusters.findLastIndex((c, i) => i < index && c.keyframes > 0);
}

// The report

function showReport(report) {
  const facts = report.recordings.at(-1);
  const length = ({ start, end }) => end - start;
  const sum = (ranges) => ranges.reduce((total, range) => total + length(range), 0);
  const left = (range) => (length(range) > 0 ? `${count(length(range))} bytes at ${count(range.start)} were left out` : `Bytes are missing at ${count(range.start)}`);
  const dropped = report.dropped.map((range) => `${left(range)}: ${range.reason.message}`);
  const lines = [
    ...facts.tracks.map((t) => `Track ${t.number}: ${track(t)}.`),
    `Media type: ${facts.mimeType}`,
    ...(report.other.length ? [`${plural(report.other.length, "other element")} (such as an index of key frames), ${size(sum(report.other))}, in no cluster.`] : []),
    ...(report.error ? [`Splitting stopped early: ${report.error.message}`] : []),
    ...(session.lost ? [`${plural(session.lost, "blob")} lost on purpose.`] : []),
    ...session.losses.map(({ start, end }) => `Something is lost from ${seconds(start)} to ${seconds(end)}.`),
    ...session.gaps.map(({ start, end }) => `No sound from ${seconds(start)} to ${seconds(end)}; nothing was left out for it.`),
    ...(dropped.length ? dropped : ["Every byte belongs to a whole element: none were dropped."]),
  ];
  $("report-summary").textContent =
    `The recording lasts ${seconds(facts.duration)}: a header of ${size(length(facts.header))} and ${plural(facts.clusters, "cluster")}, ` +
    `${size(report.bytes)} in ${plural(session.blobs, "blob")}.`;
  $("report-lines").replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
  $("report").hidden = false;
  $("tracks").hidden = true; // the report has them
}

// Files

/** webmend-20261125-213305 and what it is of the recording. */
function fileName(part, type, d = session.began) {
  const two = (n) => String(n).padStart(2, "0");
  const day = `${d.getFullYear()}${two(d.getMonth() + 1)}${two(d.getDate())}`;
  const hour = `${two(d.getHours())}${two(d.getMinutes())}${two(d.getSeconds())}`;
  return `webmend-${day}-${hour}${part}.${type.includes("matroska") ? "mkv" : "webm"}`;
}

function download(part, blob, began) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName(part, blob.type, began);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then the browser has it
}

/** Opens the file in the page that looks into files, as soon as that says it is ready. */
function inspect() {
  const opened = open("inspect.html");
  const file = { type: "webmend-inspect", name: fileName("", whole.type), blobs: [whole] };
  addEventListener("message", function ready(event) {
    if (event.source !== opened || event.origin !== location.origin || event.data?.type !== "webmend-inspector-ready") return;
    removeEventListener("message", ready);
    opened.postMessage(file, location.origin);
  });
}

// Uploads

function beginUpload(of) {
  const begun = (upload = recordings.send(of.name, of, () => upload === begun && showUpload()));
  begun.ended.then(() => {
    if (begun.state === "failed") fail(`The upload ended: ${begun.problem}. The recording is kept on this computer.`);
  });
  showUpload();
}

function showUpload() {
  $("uploading").hidden = !upload;
  if (!upload) return;
  const sent = `${plural(upload.parts, "part")}, ${size(upload.bytes)}`;
  $("upload-text").textContent = {
    sending: running() ? `Uploading: ${sent} so far.` : `Uploading the rest: ${sent} so far.`,
    waiting: `Uploading again in a moment, after ${sent}: ${upload.problem}.`,
    complete: `Uploaded: ${sent}.`,
    failed: `The upload ended after ${sent}: ${upload.problem}. The recording is kept on this computer.`,
  }[upload.state];
  $("uploading").dataset.state = upload.state;
  $("upload-progress").max = Math.max(session.bytes, 1);
  $("upload-progress").value = upload.state === "complete" ? $("upload-progress").max : Math.min(upload.bytes, session.bytes);
}

// What the page says

const nothingLeaves = "Nothing leaves this computer.";

function say(text) {
  $("status").textContent = text;
}

function fail(text, offerScene = false) {
  $("problem-text").textContent = text;
  $("scene-instead").hidden = !offerScene;
  $("problem").hidden = false;
  $("problem").scrollIntoView({ block: "nearest" });
}

function clearProblem() {
  $("problem").hidden = true;
  $("problem-text").textContent = "";
}
