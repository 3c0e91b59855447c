// What others do with a file, each as a process of its own, so that its CPU time and its
// memory are known: node peers.mjs NAME FILE [OUTPUT]. Each is used as its documentation
// says. Those that only parse print how many blocks they have found.

import { createReadStream, createWriteStream, openAsBlob, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { Writable } from "node:stream";

const [name, from, to] = process.argv.slice(2);

function* chunksOf(path, size = 64 << 10) {
  const fd = openSync(path);
  const buffer = Buffer.alloc(size);
  for (let n; (n = readSync(fd, buffer, 0, size, null)); ) yield buffer.subarray(0, n);
}

const isBlock = (name) => name === "SimpleBlock" || name === "Block";

/** Writes all, however much that is: a single call writes up to 2 GiB. */
function write(path, parts) {
  const fd = openSync(path, "w");
  for (const part of parts) for (let at = 0; at < part.length; ) at += writeSync(fd, part, at, Math.min(part.length - at, 1 << 30));
}

async function mediabunny() {
  const m = await import("mediabunny");
  return { m, input: new m.Input({ source: new m.FilePathSource(from), formats: m.ALL_FORMATS }) };
}

const peers = {
  // Parsing.

  async "scan ts-ebml"() {
    const { default: { Decoder } } = await import("ts-ebml");
    const decoder = new Decoder();
    let blocks = 0;
    for (const chunk of chunksOf(from)) for (const e of decoder.decode(chunk)) if (isBlock(e.name)) blocks++;
    return blocks;
  },

  async "scan ebml-stream"() {
    const { default: { EbmlStreamDecoder, EbmlTagId } } = await import("ebml-stream");
    let blocks = 0;
    const count = new Writable({
      objectMode: true,
      write({ id }, _, done) {
        if (id === EbmlTagId.SimpleBlock || id === EbmlTagId.Block) blocks++;
        done();
      },
    });
    await pipeline(createReadStream(from), new EbmlStreamDecoder(), count);
    return blocks;
  },

  async "scan mediabunny"() {
    const { m, input } = await mediabunny();
    let blocks = 0;
    for (const track of await input.getTracks()) {
      for await (const _ of new m.EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true })) blocks++;
    }
    return blocks;
  },

  async "scan read"() {
    let bytes = 0;
    for (const chunk of chunksOf(from)) bytes += chunk.length;
    return bytes;
  },

  // A seekable file.

  async "ts-ebml"() {
    const { default: { Decoder, Reader, tools } } = await import("ts-ebml");
    const file = readFileSync(from);
    const reader = new Reader();
    reader.logging = false;
    reader.drop_default_duration = false;
    for (const element of new Decoder().decode(file)) reader.read(element);
    reader.stop();
    const head = tools.makeMetadataSeekable(reader.metadatas, reader.duration, reader.cues);
    write(to, [new Uint8Array(head), file.subarray(reader.metadataSize)]);
  },

  async "webm-duration-fix"() {
    // As it is bundled for a page: Node's own Buffer refuses a TrackUID of 7 octets.
    const { default: { default: fix } } = await import("./node_modules/webm-duration-fix.mjs");
    const blob = await fix(await openAsBlob(from, { type: "video/webm" }));
    await pipeline(blob.stream(), createWriteStream(to));
  },

  async "mediabunny Conversion"() {
    const { m, input } = await mediabunny();
    const output = new m.Output({ format: new m.WebMOutputFormat(), target: new m.FilePathTarget(to) });
    const conversion = await m.Conversion.init({ input, output });
    await conversion.execute();
  },

  async "mediabunny packets"() {
    const { m, input } = await mediabunny();
    const output = new m.Output({ format: new m.WebMOutputFormat(), target: new m.FilePathTarget(to) });
    const tracks = [];
    for (const track of await input.getTracks()) {
      const codec = await track.getCodec();
      const isVideo = track.isVideoTrack();
      const source = isVideo ? new m.EncodedVideoPacketSource(codec) : new m.EncodedAudioPacketSource(codec);
      isVideo ? output.addVideoTrack(source) : output.addAudioTrack(source);
      const meta = { decoderConfig: await track.getDecoderConfig() };
      tracks.push({ source, meta, packets: new m.EncodedPacketSink(track).packets() });
    }
    await output.start();
    await Promise.all(
      tracks.map(async ({ source, meta, packets }) => {
        for await (const packet of packets) await source.add(packet, meta);
        source.close();
      }),
    );
    await output.finalize();
  },

  "Node's streams": () => pipeline(createReadStream(from), createWriteStream(to)),
};

console.log((await peers[name]()) ?? "");
