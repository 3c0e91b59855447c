// Has a service worker do all that loads scripts late, and says what came of it there and here.

import { Recording, repair, Replay } from "/dist/index.js";

const bytes = new Uint8Array(await (await fetch("/testdata/chromium-noalpha-03-vp8opus-ts250.webm")).arrayBuffer());

/** What it must be, by the page. */
async function expected() {
  const recording = new Recording();
  await recording.pushChunk(bytes);
  await recording.finish();
  const replay = new Replay();
  await replay.pushChunk(bytes);
  return {
    segments: bytes.length,
    parts: await new Response(recording.parts().pipeThrough(new TransformStream({ transform: async ({ blob }, out) => out.enqueue(await blob.bytes()) }))).blob().then((b) => b.size),
    crc32: await recording.takeHeader().crc32(),
    recoverable: ["from a page", 0, (await repair(new Blob([bytes]))).blob.size],
    repair: (await repair(new Blob([bytes]))).blob.size,
    replay: (await replay.clip()).blob.size,
  };
}

/** Registers a service worker, has it do everything, and removes it. */
export async function run(script, type) {
  const crashed = new Recording({ spool: { name: "from a page" } });
  await crashed.pushChunk(bytes);
  crashed.close();
  await Recording.recoverable(); // when it is closed
  const registration = await navigator.serviceWorker.register(script, { type, scope: "/page/" });
  try {
    const worker = registration.installing ?? registration.waiting ?? registration.active;
    while (worker.state !== "activated") await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    worker.postMessage(bytes, [port2]);
    return { want: await expected(), got: await answer };
  } finally {
    await registration.unregister();
    for (const left of await Recording.recoverable()) await left.delete();
  }
}
