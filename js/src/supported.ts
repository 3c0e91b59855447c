// Whether webmend can run here.

/**
 * Whether this browser or runtime has what webmend needs: WebAssembly, Blobs, streams and
 * JavaScript of 2023. It does not say whether the browser can record.
 */
export function isSupported(): boolean {
  return !!(globalThis.WebAssembly && globalThis.WritableStream && [].findLast); // all else is older than one of these
}
