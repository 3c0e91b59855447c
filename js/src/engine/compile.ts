// Finds the module's file and compiles it.

import { WebmendError } from "../base/error.js";

/** A WebAssembly.Module, which Node's types do not have. */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } } ? Module : never;

/** Where the module may come from: its address, what `fetch` gives, its bytes, or the WebAssembly.Module made of them. */
export type WasmSource = string | URL | Response | Promise<Response> | ArrayBuffer | ArrayBufferView<ArrayBuffer> | CompiledModule;

/** What that must be, as an option. @internal */
export const wasmSource = "a string or an object";

/**
 * Compiles the module, while it comes if that can be. Rejects with a WebmendError of code `load`.
 *
 * @internal
 */
export async function compile(where: () => WasmSource): Promise<WebAssembly.Module> {
  try {
    // None of these by instanceof: they can be another realm's. And to name Response has Node
    // load all of fetch, which takes longer than the module.
    const source = where();
    if (isModule(source)) return source;
    const found = typeof source === "string" || "href" in source ? await read(source) : await source;
    if (!("headers" in found)) return await WebAssembly.compile(found);
    const type = found.headers.get("content-type") ?? "";
    if (!found.ok) throw new Error(`${found.url} answered ${found.status}`);
    // Servers of pages answer so for what they do not have.
    if (type.startsWith("text/html")) throw new Error(`${found.url} is a page, not the module`);
    // Streaming wants this type and no parameters, which not every server sends.
    return await (type.toLowerCase() === "application/wasm" ? WebAssembly.compileStreaming(found) : WebAssembly.compile(await found.arrayBuffer()));
  } catch (cause) {
    throw notLoaded(cause);
  }
}

/** What says why there is no module, and what to do. @internal */
export function notLoaded(cause: unknown): WebmendError {
  const why = forbidden()
    ? `the Content-Security-Policy forbids WebAssembly: its script-src needs 'wasm-unsafe-eval'`
    : `${Object(cause).message ?? cause}; init({ wasm }) takes this package's webmend.wasm`;
  return new WebmendError({ code: "load", message: `webmend: the module could not be loaded: ${why}` }, { cause });
}

/** Whether it is compiled, in whichever realm. */
function isModule(source: object | string): source is WebAssembly.Module {
  return Object(source)[Symbol.toStringTag] === "WebAssembly.Module";
}

/** What is at an address. */
async function read(address: string | URL): Promise<Response | BufferSource> {
  const url = new URL(address, globalThis.location?.href);
  // Node fetches no files. This is no import, which bundlers for pages would follow.
  const node = (globalThis as { process?: Partial<NodeJS.Process> }).process;
  if (url.protocol === "file:" && node?.getBuiltinModule) return await node.getBuiltinModule("node:fs/promises").readFile(url);
  try {
    return await fetch(url);
  } catch (cause) {
    throw new Error(`${url} could not be fetched: ${(cause as Error).message}`, { cause });
  }
}

/** Whether not even an empty module may be compiled. */
function forbidden(): boolean {
  try {
    new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    return false;
  } catch {
    return typeof WebAssembly !== "undefined";
  }
}
