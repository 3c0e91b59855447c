// How fast streams are scanned inside a process, in Node or a page, beside what copying
// their bytes takes there. node scan.mjs DIST FILE ROUNDS, or imported by a page.

const isNode = !globalThis.document;

/** What is done with a stream that is in memory, and comes in chunks. */
async function ways(dist, wasm) {
  const { Recording, init } = await import(`${dist}/index.js`);
  await init({ wasm });
  const { Instance, pieceLength } = await import("./node_modules/webmend-module.mjs");
  const { Splitter } = await import("./node_modules/webmend-scan.mjs");
  const instance = new Instance(await WebAssembly.compile(wasm));
  let sink = 0;

  /** The module alone: ranges of clusters come out, or their bytes. */
  const split = (out) => (bytes, chunk) => {
    const splitter = new Splitter(instance);
    let news = 0;
    let clusters = 0;
    const take = () => {
      while (splitter.takeHeader());
      for (const c of splitter.takeClusters()) {
        clusters++;
        if (out) sink += bytes.slice(c.start, c.end).length;
      }
    };
    for (let at = 0; at < bytes.length; at += chunk) {
      const end = Math.min(at + chunk, bytes.length);
      for (let i = at; i < end; i += pieceLength) {
        const next = Math.min(i + pieceLength, end);
        news += splitter.push(bytes.subarray(i, next), i > at);
        if (splitter.at !== next) throw new Error("it rewinds");
      }
      if (news > 0) take();
      news = 0;
    }
    splitter.finish();
    take();
    instance.close(splitter.handle);
    return clusters;
  };

  const all = {
    "copy in"(bytes, chunk) {
      const memory = new Uint8Array(chunk);
      for (let at = 0; at < bytes.length; at += chunk) memory.set(bytes.subarray(at, at + chunk));
    },
    "copy in and out"(bytes, chunk) {
      const memory = new Uint8Array(chunk);
      for (let at = 0; at < bytes.length; at += chunk) {
        memory.set(bytes.subarray(at, at + chunk));
        sink += memory.slice().length;
      }
    },
    "ranges": split(false),
    "bytes": split(true),
    async "Recording"(bytes, chunk) {
      const recording = new Recording({ keep: false });
      let clusters = 0;
      const take = async () => {
        for (const cluster of recording.takeClusters()) {
          clusters++;
          sink += (await cluster.bytes()).length;
        }
      };
      for (let at = 0; at < bytes.length; at += chunk) {
        await recording.pushChunk(bytes.subarray(at, at + chunk));
        await take();
      }
      await recording.finish();
      await take();
      recording.close();
      return clusters;
    },
  };
  const mediabunny = await import(isNode ? "mediabunny" : "./node_modules/mediabunny/dist/bundles/mediabunny.min.mjs");
  const peers = {
    async "mediabunny"(bytes) {
      const input = new mediabunny.Input({ source: new mediabunny.BufferSource(bytes), formats: mediabunny.ALL_FORMATS });
      let blocks = 0;
      for (const track of await input.getTracks()) {
        for await (const _ of new mediabunny.EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true })) blocks++;
      }
      return blocks;
    },
  };
  if (isNode) {
    const { default: { Decoder } } = await import("ts-ebml");
    const { default: { EbmlStreamDecoder } } = await import("ebml-stream");
    peers["ts-ebml"] = (bytes, chunk) => {
      const decoder = new Decoder();
      for (let at = 0; at < bytes.length; at += chunk) sink += decoder.decode(bytes.subarray(at, at + chunk)).length;
    };
    peers["ebml-stream"] = (bytes, chunk) =>
      new Promise((resolve, reject) => {
        const decoder = new EbmlStreamDecoder();
        decoder.on("data", () => sink++).on("end", resolve).on("error", reject);
        for (let at = 0; at < bytes.length; at += chunk) decoder.write(bytes.subarray(at, at + chunk));
        decoder.end();
      });
  }
  return { all, peers };
}

const chunkSizes = [1 << 10, 64 << 10, 1 << 20];

/** Seconds that each way took in each round: { way: { chunk: [seconds] } }. The ways take turns. */
async function measure({ all, peers }, bytes, rounds) {
  const seconds = {};
  const run = async (name, way, chunk) => {
    const begin = performance.now();
    await way(bytes, chunk);
    ((seconds[name] ??= {})[chunk] ??= []).push((performance.now() - begin) / 1000);
  };
  for (const way of Object.values(all)) await way(bytes.subarray(0, 32 << 20), 64 << 10); // is compiled, and that well
  for (let i = 0; i < rounds; i++) {
    for (const chunk of chunkSizes) for (const [name, way] of Object.entries(all)) await run(name, way, chunk);
    for (const [name, way] of Object.entries(peers)) await run(name, way, 64 << 10);
  }
  return { bytes: bytes.length, seconds };
}

/** A round in a page, of what is at an address. */
export async function scan(path) {
  const read = async (path) => new Uint8Array(await (await fetch(origin + path)).arrayBuffer());
  const { origin } = new URL(import.meta.url);
  return measure(await ways(`${origin}/dist`, await read("/dist/webmend.wasm")), await read(path), 1);
}

if (isNode) {
  const { readFileSync } = await import("node:fs");
  const [dist, path, rounds] = process.argv.slice(2);
  const result = await measure(await ways(dist, readFileSync(`${dist}/webmend.wasm`)), new Uint8Array(readFileSync(path)), Number(rounds));
  console.log(JSON.stringify(result));
}
