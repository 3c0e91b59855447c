// What is wrong with a file, in words, and where.

import { count, plural, seconds, size } from "./format.js";

/**
 * @typedef {object} Finding
 * @property {"damage" | "note"} kind  something is lost, or all is there and this is good to know
 * @property {string} title
 * @property {string} text
 * @property {number} offset  in bytes
 */

const undecodable = {
  "no-key-frame": "refer to frames that are lost",
  "invalid-block": "are of a track that the header does not have",
  misplaced: "are lost where there is an element that cannot be there",
};

/** A message without the name of who says it, with its offsets as the page writes them. */
function bare(message) {
  return message.replace(/^webm(end)?: /, "").replace(/ at (\d+)/g, (_, offset) => ` at ${count(Number(offset))}`);
}

/** What `inspect` found, with what its elements say. @returns {Finding[]} */
export function findings({ report, problems }, elements) {
  const found = [];
  const damage = (title, text, offset) => found.push({ kind: "damage", title, text, offset });
  const note = (title, text, offset) => found.push({ kind: "note", title, text, offset });

  if (report.error) damage("Reading stopped here", bare(report.error.message), report.error.offset);
  for (const { start, end, reason, before, after } of report.dropped) {
    if (report.error && reason.message === report.error.message) continue;
    const none = report.recordings.length === 0 || (after !== null && after <= before);
    const time = none ? "" : ` Lost: ${seconds(before)} to ${after === null ? "the end" : seconds(after)}.`;
    const title = reason.code === "truncated" ? "The end is cut short" : end > start ? "Damaged" : "Bytes are missing";
    damage(end > start ? `${title}: ${size(end - start)} left out` : title, `${bare(reason.message)}.${time}`, start);
  }
  for (const { reason, track, frames, start, end, offset } of report.undecodable) {
    damage("Cannot be decoded", `${plural(frames, "frame")} of track ${track}, from ${seconds(start)} to ${seconds(end)}, ${undecodable[reason]}.`, offset);
  }
  for (const problem of problems) damage("Not listed", `${bare(problem.message)}.`, problem.offset);
  for (const { tracks, start, end, offset } of report.gaps) {
    const picture = tracks.length > 1 ? `, and tracks ${tracks.join(" and ")} have nothing at all` : "";
    note("No sound", `There is no sound from ${seconds(start)} to ${seconds(end)}${picture}. Every byte is there, and nothing is left out for it: the recorder may have stood still, or the sound may have been off.`, offset);
  }
  for (const [i, { repeated, header }] of report.recordings.entries()) {
    if (repeated > 0) note("Pushed twice", `${plural(repeated, "block")} of recording ${i + 1} are byte for byte what came before. A repaired file has them once.`, header.start);
  }
  if (report.recordings.length > 1) note(plural(report.recordings.length, "recording"), "One after the other. Most players show the first alone.", report.recordings[1].header.start);
  for (let i = 0; i < elements.length; i = elements.next(i)) if (elements.name(i) === "Segment") noteSegment(elements, i, note);
  return found;
}

/** What players would like a Segment to have. */
function noteSegment(elements, segment, note) {
  const at = elements.offset(segment);
  let info = -1;
  let duration = -1;
  let cues = -1;
  let open = 0; // clusters of unknown size
  let first = -1;
  for (let i = segment + 1; i < elements.next(segment); i = elements.next(i)) {
    const name = elements.name(i);
    if (name === "Info") {
      info = i;
      for (let k = i + 1; k < elements.next(i); k++) if (elements.name(k) === "Duration") duration = k;
    }
    if (name === "Cues") cues = i;
    if (name === "Cluster" && elements.size(i) < 0) {
      open++;
      if (first < 0) first = i;
    }
  }
  if (info >= 0 && duration < 0) note("No Duration", "Players show no length, and a scroll bar that does not work.", elements.offset(info));
  else if (duration >= 0 && !(Number(elements.value(duration)) > 0)) note("Duration is 0", "It must be more than that. Players show no length.", elements.offset(duration));
  if (cues < 0) note("No Cues", "There is no index: players must read the file from its start to seek.", at);
  if (elements.size(segment) < 0) note("The size of the Segment is unknown", "It was recorded as it came.", at);
  if (open > 0) note(`${plural(open, "Cluster")} of unknown size`, "Each ends only where another begins.", elements.offset(first));
}

/** What was repaired and what it has, in words. */
export function repairedText({ blob, start, end, report }) {
  const { recordings, dropped, undecodable } = report;
  const bytes = dropped.reduce((sum, range) => sum + range.end - range.start, 0);
  const frames = undecodable.reduce((sum, loss) => sum + loss.frames, 0);
  const left = [];
  if (bytes > 0) left.push(`${count(bytes)} bytes that are damaged or cut short`);
  if (frames > 0) left.push(`${plural(frames, "frame")} that cannot be decoded`);
  return [
    `${size(blob.size)}, ${seconds(end - start)}, with its Duration, Cues, SeekHead and known sizes. Nothing was encoded again.`,
    left.length > 0 ? `Left out: ${left.join(", and ")}.` : "Nothing had to be left out.",
    recordings.length > 1 ? `It is one of ${recordings.length} recordings in the file.` : "",
  ].filter(Boolean);
}
