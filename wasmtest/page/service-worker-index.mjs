// The service worker as a module, with index.js.

import * as webmend from "/dist/index.js";
import "/page/service-worker.js";

globalThis.webmend = webmend;
