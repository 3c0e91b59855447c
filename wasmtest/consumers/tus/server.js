// A tus server whose network fails now and then:
//
//   node server.js PORT

import { createServer } from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const tus = new Server({ path: "/files", datastore: new FileStore({ directory: "./files" }) });
let patches = 0;
const server = createServer((request, response) => {
  if (request.method !== "PATCH" || ++patches % 3 !== 2) return tus.handle(request, response);
  console.log("failed");
  request.socket.destroy();
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"));
