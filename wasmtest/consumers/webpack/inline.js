import { Recording } from "webmend/inline";
import { record } from "./record.js";

globalThis.run = () => record({ Recording });
