// What the command line says of an input: what was lost, and what only looks so.

import type { Dropped, Gap, Problem, Undecodable } from "../base/types.js";
import type { ModuleReport } from "../engine/answers.js";
import type { Input } from "./files.js";

/** Says something on standard error, where standard output can be the file. */
export function say(text: string): void {
  process.stderr.write(`webmend: ${plain(text)}\n`);
}

/** Says what was dropped. That something was is the exit status. */
export function sayDropped(input: Input, report: ModuleReport): void {
  const losses = lossesOf(input, report);
  for (const drop of losses) say(dropText(input, drop));
  if (losses.length > 0) process.exitCode = 1;
}

/** Says, too, what else a file does not have of one recording, or of all if none is given. */
export function sayLosses(input: Input, report: ModuleReport, { recording = -1, kept = false } = {}): void {
  sayDropped(input, report);
  const isOf = (index: number) => recording < 0 || recording === index;
  const undecodable = report.undecodable.filter((u) => isOf(u.recordingIndex));
  for (const frames of undecodable) say(`${undecodableText(report, frames)}: ${kept ? "kept" : "left out"}`);
  if (undecodable.length > 0) process.exitCode = 1;
  for (const [i, { repeated }] of report.recordings.entries()) {
    if (repeated > 0 && isOf(i)) say(repeatedText(i, repeated, kept));
  }
  // Without a boundary no chunk can have been lost, and nobody need be told.
  for (const gap of report.gaps) if (gap.boundary && isOf(gap.recordingIndex)) say(gapText(input, report, gap));
}

/** What was dropped, but for what --header says itself: that something is lost after it. */
export function lossesOf(input: Input, { dropped }: ModuleReport): Dropped[] {
  return dropped.filter(({ start, reason }) => reason.code !== "lost" || start !== input.joinedAt);
}

/** What a report and the list of elements tell, in lines. */
export function reportLines(input: Input, report: ModuleReport, problems: Problem[]): string[] {
  const { recordings, gaps, undecodable, bytes } = report;
  const losses = lossesOf(input, report);
  const empty = losses.filter((d) => d.start === d.end);
  const leftOut = losses.filter((d) => d.start < d.end);
  const lines = recordings.map((r, i) => `Recording ${i + 1}: ${r.mimeType}, ${r.duration.toFixed(3)} s in ${counted(r.clusters, "cluster")}`);
  const list = (label: string, texts: string[]) => lines.push(...texts.map((text, i) => `${label} ${i + 1}: ${text}`));
  list("Left out", leftOut.map((d) => `${bytesText(input, d)}: ${plain(d.reason.message)}`));
  list("Missing", empty.filter((d) => !isRepaired(d)).map((d) => problemText(input, d.reason)));
  list("Repaired", empty.filter(isRepaired).map((d) => problemText(input, d.reason)));
  list("Undecodable", undecodable.map((u) => undecodableText(report, u)));
  list("Problem", problems.map((p) => problemText(input, p)));
  for (const [i, { repeated }] of recordings.entries()) if (repeated > 0) lines.push(repeatedText(i, repeated, false));
  list("Gap", gaps.map((gap) => gapText(input, report, gap)));
  const lost = leftOut.reduce((sum, { start, end }) => sum + end - start, 0);
  if (lost > 0) lines.push(`${lost} of ${bytes} bytes are left out.`);
  else if (empty.length + problems.length > 0) lines.push(`None of the ${bytes} bytes is left out.`);
  else lines.push(`Every byte of ${bytes} belongs to a whole element.`);
  return lines;
}

/** What is wrong, and in which file. */
export function problemText(input: Input, { message, offset }: Problem): string {
  return plain(message) + input.place(offset);
}

function dropText(input: Input, drop: Dropped): string {
  const what = problemText(input, drop.reason);
  if (drop.start < drop.end) return `${what}: left out ${bytesText(input, drop)}`;
  return isRepaired(drop) ? `${what}: repaired` : what;
}

function bytesText(input: Input, { start, end, before, after }: Dropped): string {
  const until = after === null ? "to the end" : `to ${seconds(after)}`;
  return `${counted(end - start, "byte")} at ${start}${input.place(start)}, from ${seconds(before)} ${until}`;
}

/** Whether it says that a value is wrong: then the right one is known. */
function isRepaired({ start, end, reason }: Dropped): boolean {
  return start === end && reason.code === "invalid-value";
}

function undecodableText(report: ModuleReport, { reason, recordingIndex: recording, track, frames, start, end }: Undecodable): string {
  const where = ofRecording(report, recording);
  if (reason === "misplaced") return `${where}an element at ${seconds(start)} is not one that a Cluster can have`;
  const some = `${where}${counted(frames, "frame")} from ${seconds(start)} to ${seconds(end)} (track ${track})`;
  if (reason === "no-key-frame") return `${some} ${frames === 1 ? "needs" : "need"} frames that are lost`;
  return `${some} ${frames === 1 ? "is" : "are"} of a track that the header does not have`;
}

function repeatedText(recording: number, blocks: number, kept: boolean): string {
  return `Recording ${recording + 1}: ${counted(blocks, "block")} ${blocks === 1 ? "was" : "were"} pushed twice; ${kept ? "both copies are" : "one copy is"} kept.`;
}

function gapText(input: Input, report: ModuleReport, { recordingIndex: recording, tracks, start, end, offset, boundary }: Gap): string {
  const silent = report.recordings[recording]!.tracks.filter((t) => tracks.includes(t.number)).map((t) => t.type);
  const what = silent.includes("video") ? "no sound and no picture" : "no sound";
  const numbers = tracks.length === 1 ? `track ${tracks[0]}` : `tracks ${tracks.slice(0, -1).join(", ")} and ${tracks.at(-1)}`;
  const text = `${ofRecording(report, recording)}${what} from ${seconds(start)} to ${seconds(end)} (${numbers}): nothing is left out.`;
  if (!boundary) return `${text} The recorder stood still, or the source was muted.`;
  return `${text} The recorder stood still, the source was muted, or a chunk was lost there${input.place(offset)}. Numbered chunks (pushChunk(data, { sequence })) would tell.`;
}

/** Which recording it is, if there are several. */
function ofRecording({ recordings }: ModuleReport, index: number): string {
  return recordings.length > 1 ? `recording ${index + 1}: ` : "";
}

/** A message without the name of the library. */
function plain(message: string): string {
  return message.replace(/^webm(end)?: /, "");
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

function seconds(time: number): string {
  return `${time.toFixed(3)} s`;
}
