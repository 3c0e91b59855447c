import * as webmend from "./webmend/index.js";
import { record } from "./record.js";

Object.assign(globalThis, { webmend, run: (worker) => record(webmend, worker) });
