// Finds the module's file and compiles it.

import { WebmendError } from "../base/error.js";

/** A WebAssembly.Module, which Node's types do not have. */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } } ? Module : never;

/** Where the module may come from: its address, what `fetch` gives, its bytes, or the WebAssembly.Module made of them. */
export type WasmSource = string | URL | Response | Promise<Response> | ArrayBuffer | ArrayBufferView<ArrayBuffer> | CompiledModule;

/**
 * Compiles the module, while it comes if that can be. Rejects with a WebmendError of code `load`.
 *
 * @internal
 */
export async function compile(where: () => WasmSource): Promise<WebAssembly.Module> {
  try {
    const source = where();
    if (source instanceof WebAssembly.Module) return source;
    const found = typeof source === "string" || source instanceof URL ? await read(source) : await source;
    // Not by instanceof: to name Response has Node load all of fetch, which takes longer than the module.
    if (!("headers" in found)) return await WebAssembly.compile(found);
    if (!found.ok) throw new Error(`${found.url} answered ${found.status} ${found.statusText}`.trim());
    const type = found.headers.get("content-type") ?? "";
    // Servers of pages answer so for what they do not have.
    if (type.startsWith("text/html")) throw new Error(`${found.url} is a page, not the module; init({ wasm }) says where that is`);
    // Streaming wants this type and no parameters, which not every server sends.
    return await (type.toLowerCase() === "application/wasm" ? WebAssembly.compileStreaming(found) : WebAssembly.compile(await found.arrayBuffer()));
  } catch (cause) {
    const why = forbidden()
      ? `the Content-Security-Policy forbids WebAssembly: its script-src needs 'wasm-unsafe-eval'`
      : cause instanceof Error
        ? cause.message
        : String(cause);
    throw new WebmendError({ code: "load", message: `webmend: the module could not be loaded: ${why}` }, { cause });
  }
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
