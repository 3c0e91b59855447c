// Wires the page together: choices, the recording that runs, what is selected of
// it, and what can be done with that.

import { clock, count, plural, seconds, size, track } from "./format.js";
import { Session } from "./session.js";
import { formats, likelySource, openSource, whyNot } from "./sources.js";
import { Strip } from "./strip.js";
import { ClusterTable } from "./table.js";

const $ = (id) => document.getElementById(id);

// Nothing may go wrong in the console only.
addEventListener("error", (event) => fail(event.message));
addEventListener("unhandledrejection", (event) => fail(event.reason?.message ?? String(event.reason)));

/** @type {Session | null} the recording that runs, or the last one */
let session = null;
/** @type {{ first: number, last: number } | null} indexes of clusters, both included */
let selection = null;
/** What is being recorded, and how to stop it. */
let source = null;
let webmend = null;

const pages = { box: $("pages"), text: $("pages-text"), earlier: $("earlier"), later: $("later") };
const table = new ClusterTable($("clusters"), pages, select);
const strip = new Strip($("strip"), $("axis-end"), select);

start();

async function start() {
  $("source").onchange = listFormats;
  $("record").onclick = () => record();
  $("stop").onclick = () => session.stop();
  $("pause").onclick = pauseOrResume;
  $("scene-instead").onclick = recordScene;
  $("first").onchange = () => typed($("first"), $("last"));
  $("last").onchange = () => typed($("last"), $("first"));
  $("select-all").onclick = () => select(0, session.clusters.length - 1);
  $("from-key").onclick = () => select(keyBefore(selection.first), selection.last);
  $("selection").onsubmit = (event) => {
    event.preventDefault();
    play(file(selected()), `Header + cluster${selection.first === selection.last ? "" : "s"} ${rangeName().replace("-", "–")}, as recorded`);
  };
  $("clip").onclick = playClip;
  $("play-file").onclick = async () => play(await session.seekable(), "The whole recording, seekable");
  $("save-file").onclick = async () => download("recording-seekable", await session.seekable());
  $("download").onclick = () => download(`clusters-${rangeName()}`, file(selected()));
  $("download-header").onclick = () => download("header", file([]));
  $("download-all").onclick = () => download("recording", file(session.clusters));
  $("playback").onerror = playbackFailed;
  setInterval(showElapsed, 100);

  $("source").value = await likelySource();
  if ($("source").value === "scene") say("There is no camera or microphone here, so the drawn scene is chosen.");
  listFormats();
  try {
    webmend = await import("./dist/index.js");
    await webmend.init();
  } catch (error) {
    return fail(`webmend could not be loaded: ${error.message}. Run “make build” and reload the page.`);
  }
  setState("idle");
}

// The recorder

function setState(state) {
  const running = state === "recording" || state === "paused";
  const focused = document.activeElement?.closest(".buttons, .problem") != null;
  document.body.dataset.state = state;
  $("record").hidden = running || state === "stopping";
  $("record").disabled = state === "opening" || !webmend || $("format").options.length === 0;
  $("stop").hidden = !running && state !== "stopping";
  $("stop").disabled = !running;
  $("pause").hidden = $("stop").hidden;
  $("pause").disabled = !running;
  $("pause").textContent = state === "paused" ? "Resume" : "Pause";
  $("choices").disabled = running || state === "opening" || state === "stopping";
  $("live").hidden = !running && state !== "stopping";
  // A button that went away must not take the keyboard's place with it.
  if (focused && document.activeElement === document.body) (running ? $("stop") : $("record")).focus();
}

function listFormats() {
  const list = formats($("source").value);
  const before = $("format").selectedOptions[0]?.text;
  $("format").replaceChildren(...list.map(({ name, mimeType }) => new Option(name, mimeType, false, name === before)));
  if (list.length === 0) fail("This browser’s MediaRecorder does not write WebM.");
  if (webmend) $("record").disabled = list.length === 0;
}

async function record() {
  clearProblem();
  const name = $("source").value;
  const mimeType = $("format").value;
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
  try {
    session?.close();
    session = new Session(webmend, source.stream, { mimeType, timeslice }, listener());
  } catch (error) {
    closeSource();
    say("");
    setState("idle");
    return fail(`This browser cannot record that: ${error.message}`);
  }
  // A shared screen ends by the browser's own button, perhaps with its sound left on.
  const recorded = session;
  source.stream.getVideoTracks()[0]?.addEventListener("ended", () => recorded.stop());
  begin(timeslice);
}

function recordScene() {
  $("source").value = "scene";
  listFormats();
  record();
}

/** Clears away the last recording and shows the new one. */
function begin(timeslice) {
  selection = null;
  $("playback").removeAttribute("src");
  $("playback").pause();
  $("player").hidden = true;
  $("report").hidden = true;
  $("recording").hidden = false;
  $("tracks").textContent = timeslice
    ? "The header comes with the first blobs, then each cluster as it is complete."
    : "There is one blob, at the end: header and clusters come when you stop.";
  table.reset(session.clusters);
  strip.reset(session.clusters);
  const picture = source.stream.getVideoTracks().length > 0;
  $("view").hidden = !picture;
  $("sound-only").hidden = picture;
  $("view").srcObject = source.stream;
  $("view").play().catch(() => {}); // the recording does not depend on its view
  setState("recording");
  say("Recording.");
  showProgress();
  showSelection();
}

function listener() {
  let headerShown = false;
  return {
    change() {
      if (session.header && !headerShown) {
        headerShown = true;
        table.setHeader(session.header);
        strip.marks = session.hasVideo;
        $("clusters").classList.toggle("marks", session.hasVideo);
        $("legend").style.visibility = session.hasVideo ? "" : "hidden";
        $("tracks").textContent = `Header: ${session.header.tracks.map(track).join(" · ")}`;
      }
      table.grow();
      strip.draw();
      showProgress();
      showActions();
    },
    problem: (error) => fail(error.message),
    end(report, error) {
      closeSource();
      strip.finish();
      setState("idle");
      say(report ? "The recording is complete." : "");
      if (error) fail(session.bytes === 0 ? "Nothing was recorded: it was stopped before the first data came." : error.message);
      $("recording").hidden = !session.header;
      if (report) showReport(report);
      if (!selection && session.clusters.length > 0) select(0, session.clusters.length - 1);
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
  $("view").srcObject = null;
}

function showElapsed() {
  if (!$("live").hidden) $("elapsed").textContent = clock(session.elapsed);
}

function showProgress() {
  $("bytes").textContent = size(session.bytes);
  $("cluster-count").textContent = count(session.clusters.length);
  $("blob-count").textContent = count(session.blobs);
}

// The report

function showReport(report) {
  const facts = report.recordings.at(-1);
  const length = ({ start, end }) => end - start;
  const sum = (ranges) => ranges.reduce((total, range) => total + length(range), 0);
  const dropped = report.dropped.map((range) => `${count(length(range))} bytes at ${count(range.start)} were left out: ${range.reason.message}`);
  const lines = [
    ...facts.tracks.map((t) => `Track ${t.number}: ${track(t)}.`),
    `Media type: ${facts.mimeType}`,
    ...(report.other.length ? [`${plural(report.other.length, "other element")} (such as an index of key frames), ${size(sum(report.other))}, in no cluster.`] : []),
    ...(report.error ? [`Splitting stopped early: ${report.error.message}`] : []),
    ...(dropped.length ? dropped : ["Every byte belongs to a whole element: none were dropped."]),
  ];
  $("report-summary").textContent =
    `The recording lasts ${seconds(facts.duration)}: a header of ${size(length(facts.header))} and ${plural(facts.clusters, "cluster")}, ` +
    `${size(report.bytes)} in ${plural(session.blobs, "blob")}.`;
  $("report-lines").replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
  $("report").hidden = false;
}

// The selection

function select(first, last) {
  selection = { first, last };
  table.select(first, last);
  strip.select(first, last);
  showSelection();
}

/** Takes a number that was typed, and moves the other end along if it must. */
function typed(input, other) {
  const most = session.clusters.length;
  const within = (value) => Math.min(Math.max(Math.round(value) || 1, 1), most);
  const value = within(input.valueAsNumber);
  const end = within(other.valueAsNumber || value);
  const [first, last] = input === $("first") ? [value, Math.max(value, end)] : [Math.min(value, end), value];
  select(first - 1, last - 1);
  table.reveal(value - 1);
}

function selected() {
  return session.clusters.slice(selection.first, selection.last + 1);
}

/** 3, 7 → "3-7" */
function rangeName() {
  const { first, last } = selection;
  return first === last ? `${first + 1}` : `${first + 1}-${last + 1}`;
}

function showSelection() {
  $("first").value = selection ? selection.first + 1 : "";
  $("last").value = selection ? selection.last + 1 : "";
  showKeyHint();
  showActions();
}

/** What can be done by now: called as clusters come, so it leaves alone what may be being typed. */
function showActions() {
  const { clusters, header } = session;
  $("range").disabled = clusters.length === 0;
  $("first").max = $("last").max = clusters.length;
  $("play").disabled = $("clip").disabled = $("download").disabled = !selection;
  $("download-header").disabled = !header;
  $("download-all").disabled = clusters.length === 0;
  const text = selectionText();
  if ($("selected").textContent !== text) $("selected").textContent = text;
}

function selectionText() {
  if (!selection) return session.clusters.length ? "Select clusters: click the first row, then shift-click the last." : "";
  const chosen = selected();
  const last = chosen.at(-1);
  const bytes = chosen.reduce((total, { start, end }) => total + end - start, 0);
  return `${plural(chosen.length, "cluster")} selected: ${seconds(last.time + last.duration - chosen[0].time)}, ${size(bytes)}.`;
}

/** Says so when the selection does not begin with a picture that can be decoded. */
function showKeyHint() {
  const begins = selection && session.hasVideo ? selection.first : -1;
  const late = begins >= 0 && session.clusters[begins].keyframes === 0;
  $("no-key").hidden = !late;
  if (!late) return;
  const next = session.clusters.findIndex((c, i) => i > begins && i <= selection.last && c.keyframes > 0);
  const before = keyBefore(begins);
  $("no-key-text").textContent =
    `Cluster ${begins + 1} has no key frame: ` +
    (next < 0 ? "there is none in the whole selection, and so no picture. " : `the picture begins only with the next one, in cluster ${next + 1}. `) +
    "Some players show nothing until then, and some refuse the file.";
  $("from-key").hidden = before < 0;
  $("from-key").textContent = `Start from the key frame before, in cluster ${before + 1}`;
}

function keyBefore(index) {
  return session.clusters.findLastIndex((c, i) => i < index && c.keyframes > 0);
}

// Playing and downloading

/** The header and some clusters: a file. */
function file(clusters) {
  return new Blob(
    [session.header, ...clusters].map((part) => part.blob()),
    { type: session.mimeType },
  );
}

/** Plays a file; `save` is for the button beside the player, if there is to be one. */
async function play(blob, title, save = null) {
  playbackProblem("");
  const video = $("playback");
  if (video.src) URL.revokeObjectURL(video.src);
  video.src = URL.createObjectURL(blob);
  $("player").hidden = false;
  $("player").classList.toggle("sound", !session.hasVideo);
  $("player-title").textContent = title;
  $("save").hidden = !save;
  $("save").onclick = save;
  $("player").scrollIntoView({ block: "nearest" });
  await video.play().catch((error) => {
    if (error.name !== "AbortError" && !video.error) playbackProblem(`It does not play: ${error.message}`);
  });
}

/** Makes a clip of the time that is selected, and says where it really begins and ends. */
async function playClip() {
  const chosen = selected();
  const { blob, start, end } = await session.clip({ start: chosen[0].time, end: chosen.at(-1).time + chosen.at(-1).duration });
  const why = start < chosen[0].time ? ": from the key frame before the selection" : "";
  play(blob, `Clip from ${seconds(start)} to ${seconds(end)}${why}`, () => download(`clip-${start.toFixed(3)}-${end.toFixed(3)}`, blob));
}

function playbackFailed() {
  const error = $("playback").error;
  const why = $("no-key").hidden || !$("save").hidden ? "" : " It may need a selection that begins with a key frame.";
  playbackProblem(`This browser does not play that: ${error.message || `error ${error.code}`}.${why}`);
}

/** Said beside the player, which may be a long way below the recorder. */
function playbackProblem(text) {
  $("playback-problem").textContent = text;
  $("playback-problem").hidden = text === "";
}

function download(name, blob) {
  const extension = session.header.docType === "matroska" ? "mkv" : "webm";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `webmend-${name}.${extension}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then the browser has it
}

// What the page says

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
