const globals = Object.keys(globalThis).filter((name) => !before.includes(name));

const run = (worker) => import("./record.js").then(({ record }) => record(webmend, worker));
