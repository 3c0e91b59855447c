// The inline entry of the package, for pages that cannot fetch files: the module and the
// worker are inside, gzipped, as all browsers can undo that, and in base64.

import module from "../dist/webmend.wasm.gz";
import worker from "../dist/worker.js.gz";
import { ship } from "./engine/load.js";
import { scripts } from "./files.js";

export * from "./api.js";

ship(
  () => unpacked(module, "application/wasm"),
  async () => new Worker(URL.createObjectURL(await unpacked(worker, "text/javascript").blob())),
  scripts,
);

function unpacked(gzipped: string, type: string): Response {
  const text = atob(gzipped);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i); // a tenth of the time that Uint8Array.from takes
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")), { headers: { "content-type": type } });
}
