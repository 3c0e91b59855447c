import { init, Recording } from "webmend";
import { record } from "./record.js";

globalThis.run = (worker) => record({ init, Recording }, worker);
