// A service worker that does what a page asks with the build that its address names: as a
// module with one that is imported by service-worker.mjs, or as a script.

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

const build = new URL(location.href).searchParams.get("build");
if (build) importScripts(`/dist/${build}`);

/** What comes of each thing, or how it is rejected. */
const things = {
  async segments({ Recording }, bytes) {
    const recording = new Recording();
    await recording.pushChunk(bytes);
    await recording.finish();
    let size = 0;
    for await (const segment of recording.segments()) size += segment.end - segment.start;
    return size;
  },

  async parts({ Recording }, bytes) {
    const recording = new Recording();
    await recording.pushChunk(bytes);
    await recording.finish();
    let size = 0;
    for await (const part of recording.parts()) size += part.blob.size;
    return size;
  },

  crc32: async ({ Recording }, bytes) => {
    const recording = new Recording();
    await recording.pushChunk(bytes);
    return recording.takeHeader().crc32();
  },

  async recoverable({ Recording }) {
    const [left, ...others] = await Recording.recoverable();
    const { blob } = await left.repair();
    await left.delete();
    return [left.name, others.length, blob.size];
  },

  repair: async ({ repair }, bytes) => (await repair(new Blob([bytes]))).blob.size,

  async replay({ Replay }, bytes) {
    const replay = new Replay();
    await replay.pushChunk(bytes);
    return (await replay.clip()).blob.size;
  },
};

addEventListener("message", ({ data: bytes, ports: [port] }) => {
  const told = Object.entries(things).map(async ([name, act]) => {
    const { webmend } = globalThis;
    return [name, await act(webmend, bytes).catch((error) => `${error.name} ${error.code}: ${error.message}`)];
  });
  Promise.all(told).then((all) => port.postMessage(Object.fromEntries(all)));
});
