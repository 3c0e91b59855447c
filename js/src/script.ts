// What a script that is no module has for import.meta.url: its address as the page
// has it, or in a worker the worker's.

const script = globalThis.document?.currentScript as HTMLScriptElement | null | undefined;

export const scriptURL = script?.src || globalThis.location?.href;
