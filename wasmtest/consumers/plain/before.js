const before = Object.keys(globalThis);
