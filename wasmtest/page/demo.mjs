// What a person does with the demo page, done in a frame, where the browser has no driver.

import { frameOn, rate } from "/demo/scene.js";

let page; // the frame's window
const $ = (id) => page.document.getElementById(id);
const handle = (edge) => page.document.querySelector(`.handle.${edge}`);

/** Records the drawn scene, rewinds, scrubs and clips, and tells what was seen. */
export async function use(times) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: "/demo/", width: 1000, height: 800 });
  const loaded = new Promise((resolve) => (frame.onload = resolve));
  document.body.append(frame);
  await loaded;
  page = frame.contentWindow;
  await until(() => !$("record").disabled);
  $("source").value = "scene";
  $("source").dispatchEvent(new page.Event("change"));

  $("record").click();
  const told = {};
  await until(() => Number(handle("to").ariaValueMax) > 4);
  await until(() => $("live").ariaPressed === "true" && !$("video").paused);
  $("toggle").click();
  await until(() => $("video").paused);
  told.began = (await see(1)) - 1;
  told.rewound = [];
  for (const time of times) told.rewound.push((await see(time)) - told.began);
  $("live").click();
  await until(() => $("live").ariaPressed === "true" && frameOn($("video")) / rate - told.began > 4);
  $("stop").click();
  await until(() => $("stage").dataset.shown === "whole" && $("video").readyState >= 2);
  told.report = $("report").innerText || $("report").textContent;
  told.duration = $("video").duration;
  told.seen = [];
  for (const time of times) told.seen.push((await see(time)) - told.began);

  handle("from").focus();
  for (const key of ["ArrowRight", "ArrowRight"]) {
    handle("from").dispatchEvent(new page.KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true })); // a second each
  }
  await until(() => $("clip-text").textContent.startsWith("Clip: cut at"));
  [told.start, told.end] = $("clip-text").textContent.match(/\d+\.\d+(?= s)/g).map(Number);
  $("play-clip").click();
  await until(() => $("stage").dataset.shown === "clip" && $("video").currentTime > 0.2);
  $("toggle").click();
  told.clipSeen = (await see(0.5)) - told.began;
  told.problem = $("problem").hidden ? "" : $("problem-text").textContent;
  frame.remove();
  return told;
}

/** Goes to a time with the scrub bar: of which time of the scene the frame there is. */
async function see(time) {
  $("scrub").value = time;
  $("scrub").dispatchEvent(new page.Event("input"));
  await until(() => !$("video").seeking && Math.abs($("video").currentTime - time) < 0.02);
  let number;
  await until(() => (number = frameOn($("video"))) !== null);
  return number / rate;
}

async function until(condition) {
  const late = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > late) throw new Error(`${condition} does not come; the page: ${page.document.body.innerText}`);
    await new Promise(requestAnimationFrame);
  }
}
