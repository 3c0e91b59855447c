// The inspector: a file's elements, bytes, blocks and tracks, and what is wrong.
//
// A page of the same origin can hand over a recording. It opens this one, which
// says when it is ready, and then takes the recording's name and its chunks:
//
//     const inspector = window.open("inspect.html");
//     addEventListener("message", ({ source, origin, data }) => {
//       if (source !== inspector || origin !== location.origin || data?.type !== "webmend-inspector-ready") return;
//       inspector.postMessage({ type: "webmend-inspect", name: "recording.webm", blobs }, origin);
//     });

import { init, repair } from "./dist/index.js";
import { inspect } from "./dist/inspect.js";
import { ElementList, lastAtMost } from "./element-list.js";
import { count, plural, seconds, size, track as trackText } from "./format.js";
import { Grid } from "./grid.js";
import { HexView } from "./hex.js";
import { findings, repairedText } from "./problems.js";
import { Tree } from "./tree.js";

const $ = (id) => document.getElementById(id);
const tabs = [...document.querySelectorAll("[role=tab]")];

/** The module, from the start: then nothing more is wanted of the network. */
const wasm = WebAssembly.compileStreaming(fetch("./dist/webmend.wasm"));

/** What is open: { name, blob, chunks: [{ name, start, size }], elements, headers, control, inspection }. */
let file = null;
let trackBlocks = null; // the blocks of the track that is chosen, or null for all
let blocksSeen = 0; // blocks that trackBlocks takes into account
let timer = 0;
let shownAt = -Infinity;

/** Milliseconds between what is shown of a scan: to draw more often would slow it down. */
const pace = 150;

const tree = new Tree($("tree"), (i) => select(i, "tree"), chunkBadge);
const hex = new HexView($("hex"), (i) => select(i, "hex"), (error) => fail(`The bytes could not be read: ${error.message}`));
const blocks = new Grid($("blocks"), "Blocks", blockColumns(), (k) => select(file.elements.blocks.element(blockOf(k)), "blocks"));
const chunks = new Grid(
  $("chunks"),
  "Chunks",
  [
    { title: "No.", text: (k) => count(k + 1) },
    { title: "Name", text: (k) => file.chunks[k].name },
    { title: "Offset", text: (k) => count(file.chunks[k].start) },
    { title: "Size", text: (k) => size(file.chunks[k].size) },
  ],
  (k) => selectByte(file.chunks[k].start),
);

wire();
init().catch(() => {}); // now, so that nothing is to be loaded later
wasm.catch((error) => fail(`The module could not be loaded: ${error.message}. Was it built, by make build?`));
if (opener) opener.postMessage({ type: "webmend-inspector-ready" }, location.origin);

function wire() {
  $("choose").onclick = $("another").onclick = () => $("files").click();
  $("files").onchange = () => {
    openFiles([...$("files").files]);
    $("files").value = ""; // so that the same file can be chosen again
  };
  $("cancel").onclick = () => file.control.abort();
  $("repair").onclick = () => repairFile();
  $("filter").oninput = () => {
    tree.filter = $("filter").value;
    showFound();
  };
  $("track").onchange = () => showTrack();
  $("go").onsubmit = (event) => {
    event.preventDefault();
    const offset = Number($("offset").value.replaceAll(/[\s,_]/g, ""));
    const valid = $("offset").value.trim() !== "" && Number.isInteger(offset) && offset >= 0 && offset < file.blob.size;
    $("offset").setCustomValidity(valid ? "" : `A number of bytes from 0 to ${count(file.blob.size - 1)}, or 0x and hexadecimal`);
    if ($("offset").reportValidity()) selectByte(offset);
  };
  $("offset").oninput = () => $("offset").setCustomValidity("");
  for (const tab of tabs) tab.onclick = () => showTab(tab);
  document.querySelector("[role=tablist]").onkeydown = (event) => {
    const all = tabs.filter((tab) => !tab.hidden);
    const at = all.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const tab = all.at(to % all.length);
    showTab(tab);
    tab.focus();
  };
  wireDrops();
  addEventListener("message", ({ source, origin, data }) => {
    if (origin !== location.origin || !source || source !== opener || data?.type !== "webmend-inspect" || !Array.isArray(data.blobs)) return;
    const given = data.blobs.filter((blob) => blob instanceof Blob);
    openChunks(String(data.name ?? "Recording"), given.map((blob, i) => ({ name: blob.name ?? `Chunk ${i + 1}`, blob })));
  });
}

function wireDrops() {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").hidden = true;
  });
  addEventListener("drop", (event) => {
    $("drop").hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    openFiles([...event.dataTransfer.files]);
  });
}

// Opening

function openFiles(files) {
  if (files.length === 0) return;
  const { compare } = new Intl.Collator("en", { numeric: true }); // chunk-2 before chunk-10
  files.sort((a, b) => compare(a.name, b.name));
  const name = files.length === 1 ? files[0].name : `${files[0].name} to ${files.at(-1).name}`;
  openChunks(name, files.map((blob) => ({ name: blob.name, blob })));
}

/** Opens the chunks of one stream, in order. */
async function openChunks(name, given) {
  file?.control.abort();
  let at = 0;
  const opened = {
    name,
    chunks: given.map(({ name, blob }) => {
      const start = at;
      at += blob.size;
      return { name, start, size: blob.size };
    }),
    blob: given.length === 1 ? given[0].blob : new Blob(given.map(({ blob }) => blob)),
    elements: new ElementList(),
    headers: [],
    control: new AbortController(),
    inspection: null,
  };
  file = opened;
  showOpened();
  setState("scanning");
  let done = 0;
  let over = false;
  try {
    const inspection = await inspect(opened.blob, {
      wasm: await wasm,
      signal: opened.control.signal,
      onProgress: (part) => (done = part),
      onHeader: (header) => {
        opened.headers.push(header);
        opened.elements.header(header);
      },
      onElements: (elements) => {
        opened.elements.push(elements);
        showSoon(() => over || opened !== file || showProgress(done));
      },
    });
    over = true;
    if (opened !== file) return;
    opened.inspection = inspection;
    opened.elements.dropped = inspection.report.dropped;
    opened.elements.known = opened.blob.size;
    setState("done");
    showProgress(1);
    showFindings();
  } catch (error) {
    over = true;
    if (opened !== file) return;
    const cancelled = opened.control.signal.aborted;
    setState(cancelled ? "cancelled" : "failed");
    showAll();
    if (cancelled) say(`Cancelled at ${Math.floor(100 * done)} %: this is what there is up to there.`);
    else fail(`It could not be read${opened.elements.length > 0 ? " to its end" : ""}: ${bare(error)}`);
  }
}

const bare = (error) => (error instanceof Error ? error.message : String(error)).replace(/^webm(end)?: /, "");

/** Shows once what comes until then: at once, or when it is time again. */
function showSoon(show) {
  const now = performance.now();
  timer ||= setTimeout(() => {
    timer = 0;
    shownAt = performance.now();
    show();
  }, Math.max(0, shownAt + pace - now));
}

function setState(state) {
  document.body.dataset.state = state;
  const busy = state === "scanning" || state === "repairing";
  $("cancel").hidden = $("progress").hidden = !busy;
  $("repair").disabled = state !== "done" || file.inspection.report.recordings.length === 0;
}

// Showing

function showOpened() {
  fail("");
  say("");
  $("welcome").hidden = true;
  $("work").hidden = false;
  $("name").textContent = file.name;
  $("about").textContent = file.chunks.length > 1 ? `${plural(file.chunks.length, "chunk")}, ${size(file.blob.size)}` : size(file.blob.size);
  document.title = `${file.name} – webmend inspector`;
  $("filter").value = $("offset").value = "";
  $("progress").value = 0;
  $("repaired").hidden = $("which").hidden = true;
  $("problems").replaceChildren();
  $("sound").textContent = "What is wrong is known once all of it is read.";
  $("tracks").replaceChildren();
  $("track").replaceChildren(new Option("All", ""));
  trackBlocks = null;
  tree.reset(file.elements);
  hex.reset(file.blob, file.elements, file.chunks.slice(1).map((chunk) => chunk.start));
  blocks.select(-1);
  blocks.length = 0;
  chunks.select(-1);
  chunks.length = file.chunks.length;
  for (const tab of tabs) tab.lastElementChild.textContent = "";
  $("tab-chunks").hidden = file.chunks.length < 2;
  $("tab-chunks").lastElementChild.textContent = count(file.chunks.length);
  showTab($("tab-elements"));
  showSelection(-1);
}

function showProgress(done) {
  $("progress").value = done;
  say(`${Math.floor(100 * done)} % read`);
  showAll();
}

function showAll() {
  tree.extend();
  hex.draw();
  showBlocks();
  showTracks();
  showFound();
  $("tab-elements").lastElementChild.textContent = count(file.elements.length);
  $("tab-blocks").lastElementChild.textContent = count(file.elements.blocks.length);
  const { names } = file.elements;
  if ($("names").childElementCount !== names.length) $("names").replaceChildren(...names.map(({ name }) => new Option(name)));
}

function showFound() {
  $("found").textContent = $("filter").value.trim() ? plural(tree.length, "row") : "";
}

function showTab(shown) {
  for (const tab of tabs) {
    tab.ariaSelected = tab === shown;
    tab.tabIndex = tab === shown ? 0 : -1;
    if (tab === shown) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    $(tab.getAttribute("aria-controls")).hidden = tab !== shown;
  }
}

/** Which chunks begin in a range of the file. */
function chunkBadge(start, end) {
  if (!file || file.chunks.length < 2) return "";
  const at = (offset) => lastAtMost(file.chunks.length, (k) => file.chunks[k].start, offset);
  const last = at(end - 1);
  const before = at(start - 1);
  if (last === before || last < 0) return "";
  return last - before === 1 ? file.chunks[last].name : `${count(last - before)} chunks`;
}

// Blocks

function blockColumns() {
  const list = () => file.elements.blocks;
  const of = (text) => (row) => text(blockOf(row), list());
  return [
    { title: "Cluster", text: of((k, b) => count(b.cluster(k))) },
    { title: "Track", text: of((k, b) => String(b.track(k))) },
    { title: "Time", text: of((k, b) => seconds(b.time(k))) },
    { title: "Key", text: of((k, b) => (b.is("keyframe", k) ? "key" : "")) },
    { title: "Size", text: of((k, b) => count(file.elements.size(b.element(k)))) },
    { title: "Frames", text: of((k, b) => (b.lacing(k) === "none" ? "1" : `${b.frames(k)}, ${b.lacing(k)}`)) },
    { title: "Offset", text: of((k, b) => count(file.elements.offset(b.element(k)))) },
  ];
}

/** The block that a row of the table is. */
function blockOf(row) {
  return trackBlocks ? trackBlocks[row] : row;
}

function showTrack() {
  trackBlocks = $("track").value === "" ? null : [];
  blocksSeen = 0;
  blocks.select(-1);
  showBlocks();
}

function showBlocks() {
  const list = file.elements.blocks;
  const chosen = Number($("track").value);
  if (trackBlocks) for (; blocksSeen < list.length; blocksSeen++) if (list.track(blocksSeen) === chosen) trackBlocks.push(blocksSeen);
  blocks.length = trackBlocks ? trackBlocks.length : list.length;
  $("block-count").textContent = plural(blocks.length, "block");
}

// Tracks

function showTracks() {
  const { headers } = file;
  if ($("tracks").children.length === headers.length) return;
  $("tracks").replaceChildren(...headers.map(trackTable));
  const all = headers.flatMap((header) => header.tracks);
  $("tab-tracks").lastElementChild.textContent = count(all.length);
  const numbers = [...new Map(all.map((t) => [t.number, t]))].sort(([a], [b]) => a - b);
  const chosen = $("track").value;
  $("track").replaceChildren(new Option("All", ""), ...numbers.map(([n, t]) => new Option(`${n}: ${trackText(t)}`, n)));
  $("track").value = chosen;
}

function trackTable(header, i) {
  const table = document.createElement("table");
  const caption = table.createCaption();
  const app = [header.muxingApp, header.writingApp].filter((name, k, all) => name && all.indexOf(name) === k).join(", ");
  caption.textContent = `${file.headers.length > 1 ? `Recording ${i + 1}: ` : ""}${header.docType}, ${header.mimeType}${app && `, written by ${app}`}`;
  const head = table.createTHead().insertRow();
  for (const title of ["No.", "Type", "Codec", "What it is", "Language", "Delay"]) {
    const th = document.createElement("th");
    th.scope = "col";
    th.textContent = title;
    head.append(th);
  }
  const body = table.createTBody();
  for (const t of header.tracks) {
    const row = body.insertRow();
    const facts = [
      t.width && `${t.width} × ${t.height}`,
      t.alpha && "alpha",
      t.sampleRate && `${t.sampleRate / 1000} kHz`,
      t.channels && plural(t.channels, "channel"),
      t.bitDepth && `${t.bitDepth} bit`,
      t.defaultDuration && `${seconds(t.defaultDuration)} a frame`,
      t.name,
    ];
    const codec = t.codec ? `${t.codecId} (${t.codec})` : t.codecId;
    for (const text of [String(t.number), t.type, codec, facts.filter(Boolean).join(", "), t.language, t.codecDelay ? `${(1000 * t.codecDelay).toFixed(1)} ms` : ""]) {
      row.insertCell().textContent = text;
    }
  }
  return table;
}

// Problems

function showFindings() {
  const found = findings(file.inspection, file.elements);
  const wrong = found.filter(({ kind }) => kind === "damage").length;
  const notes = found.length - wrong;
  $("tab-problems").lastElementChild.textContent = found.length > 0 ? count(wrong || notes) : "";
  $("tab-problems").classList.toggle("wrong", wrong > 0);
  $("sound").textContent =
    (wrong > 0 ? `${plural(wrong, "problem")}.` : "Every byte belongs to a whole element.") +
    (notes > 0 ? " Good to know:" : wrong > 0 ? "" : " Nothing is wrong.");
  $("problems").replaceChildren(...found.slice(0, 1000).map(findingItem));
  const { recordings, error } = file.inspection.report;
  say(
    error && recordings.length === 0
      ? ""
      : [plural(file.elements.length, "element"), recordings.length > 0 && seconds(recordings[0].duration), wrong > 0 && plural(wrong, "problem")].filter(Boolean).join(", "),
  );
  if (error && file.elements.length === 0) {
    const message = bare(new Error(error.message));
    fail(`${message[0].toUpperCase()}${message.slice(1)}.`);
    showTab($("tab-problems"));
  }
  $("which").hidden = recordings.length < 2;
  $("recording").replaceChildren(...recordings.map((_, i) => new Option(`Recording ${i + 1}`, i)));
}

function findingItem({ kind, title, text, offset }) {
  const item = document.createElement("li");
  item.className = kind;
  const button = document.createElement("button");
  button.type = "button";
  const parts = [title, text, `at ${count(offset)}`].map((part, i) => {
    const span = document.createElement(i === 0 ? "b" : "span");
    span.textContent = part;
    return span;
  });
  parts[2].className = "quiet";
  button.append(...parts);
  button.onclick = () => selectByte(offset);
  item.append(button);
  return item;
}

// Selecting: the tree, the bytes and the blocks follow each other

/** Shows an element, chosen in one of the views, in the others. */
function select(i, from) {
  if (from !== "tree" && i >= 0 && $("filter").value) {
    $("filter").value = tree.filter = "";
    showFound();
  }
  if (from !== "tree") tree.select(i);
  if (from !== "hex") hex.select(i);
  if (from !== "blocks") showBlock(i);
  showSelection(i);
}

/** Shows a byte, and the element it is in. */
function selectByte(offset) {
  const i = file.elements.at(offset);
  select(i, "hex");
  if (i >= 0) hex.select(i);
  hex.goTo(offset);
}

function showBlock(i) {
  const k = i < 0 ? -1 : file.elements.blocks.of(i);
  if (k < 0) return blocks.select(-1);
  if (!trackBlocks) return blocks.select(k);
  const row = lastAtMost(trackBlocks.length, (r) => trackBlocks[r], k);
  blocks.select(trackBlocks[row] === k ? row : -1);
}

function showSelection(i) {
  if (i < 0) {
    $("path").textContent = "Select an element, or click a byte.";
    $("details").textContent = "";
    return;
  }
  const e = file.elements;
  $("path").replaceChildren(
    ...e.path(i).map((k) => {
      const step = document.createElement("button");
      step.type = "button";
      step.textContent = e.name(k);
      step.onclick = () => {
        tree.select(k);
        select(k, "tree");
      };
      return step;
    }),
  );
  const known = e.size(i) < 0 ? `size unknown, ${size(e.end(i) - e.offset(i))} up to what follows` : `${plural(e.size(i), "byte")} of data`;
  const facts = [`ID ${e.id(i).toString(16).toUpperCase()}`, `at ${count(e.offset(i))} (0x${e.offset(i).toString(16)})`, `${known}`, e.value(i)];
  $("details").textContent = facts.filter(Boolean).join(" · ");
}

// Repairing

async function repairFile() {
  const repaired = file;
  const index = Number($("recording").value || 0);
  repaired.control = new AbortController();
  setState("repairing");
  showTab($("tab-problems"));
  $("repaired").hidden = true;
  try {
    await init({ wasm: await wasm });
    const made = await repair(repaired.blob, {
      recordingIndex: index,
      signal: repaired.control.signal,
      onProgress: (done) => {
        if (repaired !== file) return;
        $("progress").value = done;
        say(`Repairing: ${Math.floor(100 * done)} %`);
      },
    });
    if (repaired !== file) return;
    setState("done");
    say("Repaired.");
    showRepaired(made);
  } catch (error) {
    if (repaired !== file) return;
    setState("done");
    if (repaired.control.signal.aborted) say("The repair was cancelled.");
    else fail(`It could not be repaired: ${bare(error)}`);
  }
}

function showRepaired(made) {
  const name = `${baseName(file.chunks[0].name)}-repaired.${made.blob.type.includes("matroska") ? "mkv" : "webm"}`;
  const link = document.createElement("a");
  link.className = "button primary";
  link.href = URL.createObjectURL(made.blob);
  link.download = name;
  link.textContent = `Download ${name}`;
  const look = document.createElement("button");
  look.type = "button";
  look.textContent = "Look into it";
  look.onclick = () => openChunks(name, [{ name, blob: made.blob }]);
  const title = document.createElement("h3");
  title.textContent = "Repaired";
  const actions = document.createElement("p");
  actions.className = "actions";
  actions.append(link, look);
  $("repaired").replaceChildren(
    title,
    ...repairedText(made).map((text) => {
      const p = document.createElement("p");
      p.textContent = text;
      return p;
    }),
    actions,
  );
  $("repaired").hidden = false;
  link.click();
}

function baseName(name) {
  return name.replace(/\.[^.]*$/, "") || "recording";
}

// What the page says

function say(text) {
  $("status").textContent = text;
}

function fail(text) {
  $("problem").textContent = text;
  $("problem").hidden = text === "";
}
