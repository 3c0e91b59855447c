// What a recording costs after 1, 10 and 100 hours: node growth.mjs DIST HOURS. It is
// pushed a cluster at a time, as a second of a call has: 17 blocks of sound, 25 of video.

const [dist, hours] = process.argv.slice(2);
const { Recording } = await import(`${dist}/index.js`);

const element = (id, ...data) => {
  const bytes = data.flat();
  return [...id, 0x10 | (bytes.length >> 24), (bytes.length >> 16) & 255, (bytes.length >> 8) & 255, bytes.length & 255, ...bytes];
};
const text = (s) => [...s].map((c) => c.charCodeAt(0));
const track = (number, type, codec) => element([0xae], element([0xd7], number), element([0x73, 0xc5], number), element([0x83], type), element([0x86], text(codec)));
const unknown = [1, 255, 255, 255, 255, 255, 255, 255];
const header = Uint8Array.from([
  ...element([0x1a, 0x45, 0xdf, 0xa3], element([0x42, 0x82], text("webm"))),
  ...[0x18, 0x53, 0x80, 0x67, ...unknown],
  ...element([0x15, 0x49, 0xa9, 0x66], element([0x2a, 0xd7, 0xb1], 0x0f, 0x42, 0x40)),
  ...element([0x16, 0x54, 0xae, 0x6b], track(1, 1, "V_VP8"), track(2, 2, "A_OPUS")),
]);

const block = (track, time, flags) => element([0xa3], 0x80 | track, time >> 8, time & 255, flags, Array(20).fill(0xf8));
const blocks = [];
for (let time = 0; time < 1000; time += 40) blocks.push([time, block(1, time, time === 0 ? 0x80 : 0)]);
for (let time = 0; time < 1000; time += 60) blocks.push([time, block(2, time, 0x80)]);
blocks.sort(([a], [b]) => a - b);
const cluster = Uint8Array.from([0x1f, 0x43, 0xb6, 0x75, ...unknown, 0xe7, 0x84, 0, 0, 0, 0, ...blocks.flatMap(([, bytes]) => bytes)]);
const time = new DataView(cluster.buffer, 14, 4);

const recording = new Recording({ keep: false });
await recording.pushChunk(header);
const told = [];
let taken = 0;
let begin = performance.now();
const last = []; // microseconds of the last chunks
for (let second = 0; second < 3600 * hours; second++) {
  time.setUint32(0, 1000 * second);
  const before = performance.now();
  await recording.pushChunk(cluster);
  taken += recording.takeClusters().length;
  last[second % 3600] = 1000 * (performance.now() - before);
  const hour = (second + 1) / 3600;
  if (![1, 10, 100].includes(hour)) continue;
  const sorted = last.toSorted((a, b) => a - b);
  told.push({ hours: hour, clusters: taken, median: sorted[1800], p99: sorted[3564], seconds: (performance.now() - begin) / 1000, memory: recording.memory, process: process.memoryUsage().rss });
}
console.log(JSON.stringify(told));
