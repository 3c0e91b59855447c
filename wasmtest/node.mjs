// Runs a build of the module in Node for conformance_test.go.
//
//   node node.mjs js  GOROOT/lib/wasm/wasm_exec.js webmend.go.wasm
//   node node.mjs npm index.js webmend.wasm
//
// Standard input is JSON: { jobs: [{ path, sizes }], walks: [likewise], calls: [[{ export, argument, bytes }]] }.
// Standard output is { jobs, walks, calls } with what came out of each.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [build, script, wasm] = process.argv.slice(2);
const { jobs, walks, calls } = JSON.parse(readFileSync(0, "utf8"));

function* chunks({ path, sizes }) {
  const data = new Uint8Array(readFileSync(path));
  let at = 0;
  for (const size of sizes) yield data.subarray(at, (at += size));
}

// The plain functions of the GOOS=js build.
async function loadGo() {
  await import(pathToFileURL(script));
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), go.importObject);
  go.run(instance); // it does not return
  return globalThis.webmend;
}

function goTranscript(module, job) {
  const handle = module.open(0);
  const steps = [];
  let failed = null;
  let pushed = 0;
  const take = () => {
    const headers = [];
    for (let h; (h = module.takeHeader(handle)); ) headers.push(h);
    const clusters = module.takeClusters(handle);
    if (headers.length + clusters.length > 0) steps.push({ pushed, headers, clusters });
  };
  for (const chunk of chunks(job)) {
    const status = module.pushChunk(handle, chunk);
    pushed += chunk.length;
    if (status < 0) failed ??= { pushed, error: module.lastError(handle) };
    if (status !== 0) take();
  }
  const report = module.finish(handle);
  take();
  module.close(handle);
  return { steps, failed, report };
}

function goElements(module, job) {
  const handle = module.open(1);
  const elements = [];
  for (const chunk of chunks(job)) if (module.pushChunk(handle, chunk) !== 0) elements.push(...module.takeElements(handle));
  module.finish(handle);
  elements.push(...module.takeElements(handle));
  const problem = module.lastError(handle);
  module.close(handle);
  return { elements, problem };
}

function goCalls(module, list) {
  return list.map(({ export: name, argument, bytes }) =>
    name === "pushChunk" ? module.pushChunk(argument, new TextEncoder().encode(bytes)) : module[name](argument),
  );
}

// The reactor by the npm package.
async function recordingTranscript({ Recording }, job) {
  const recording = new Recording();
  const steps = [];
  let failed = null;
  let pushed = 0;
  const problem = ({ code, offset, path, message }) => ({ code, offset, path, message });
  const take = () => {
    const headers = [];
    for (let h; (h = recording.takeHeader()); ) headers.push({ ...h });
    const clusters = recording.takeClusters().map((c) => ({ ...c }));
    if (headers.length + clusters.length > 0) steps.push({ pushed, headers, clusters });
  };
  for (const chunk of chunks(job)) {
    try {
      await recording.pushChunk(chunk);
      pushed += chunk.length;
    } catch (error) {
      pushed += chunk.length;
      failed ??= { pushed, error: problem(error) };
    }
    take();
  }
  try {
    await recording.finish();
  } catch (error) {
    const { report } = recording;
    if (report.recordings.length > 0 || JSON.stringify(problem(report.error)) !== JSON.stringify(problem(error))) throw error;
  }
  take();
  return { steps, failed, report: recording.report };
}

let answer;
if (build === "js") {
  const module = await loadGo();
  answer = {
    jobs: jobs.map((job) => goTranscript(module, job)),
    walks: walks.map((job) => goElements(module, job)),
    calls: calls.map((list) => goCalls(module, list)),
  };
} else {
  const module = await import(pathToFileURL(script));
  await module.init({ wasm: pathToFileURL(wasm) });
  answer = { jobs: [] };
  for (const job of jobs) answer.jobs.push(await recordingTranscript(module, job));
}
process.stdout.write(JSON.stringify(answer), () => process.exit());
