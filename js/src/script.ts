// Stands in for import.meta.url in scripts that are no modules: the script's address as the
// page has it, or in a worker the worker's.

const script = globalThis.document?.currentScript as HTMLScriptElement | null | undefined;

export const scriptURL = script?.src || globalThis.location?.href;
