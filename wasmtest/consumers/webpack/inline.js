import { init, Recording } from "webmend/inline";
import { record } from "./record.js";

globalThis.run = (worker) => record({ init, Recording }, worker);
