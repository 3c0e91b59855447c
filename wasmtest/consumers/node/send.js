// Sends a file, chunk by chunk, to the server of js/README.md, which the test puts
// into server.js:
//
//   node send.js URL FILE

import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import "./server.js";

const [url, file] = process.argv.slice(2);
const body = Readable.toWeb(createReadStream(file, { highWaterMark: 10_000 }));
const response = await fetch(url, { method: "POST", body, duplex: "half" });
console.log(await response.text());
process.exit();
