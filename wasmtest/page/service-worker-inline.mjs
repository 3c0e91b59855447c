// The service worker as a module, with inline.js.

import * as webmend from "/dist/inline.js";
import "/page/service-worker.js";

globalThis.webmend = webmend;
