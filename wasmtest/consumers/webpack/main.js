import { Recording } from "webmend";
import { record } from "./record.js";

globalThis.run = () => record({ Recording });
