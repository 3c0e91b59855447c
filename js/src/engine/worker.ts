// The worker's side, which scans streams off the page's thread. The page's side is remote.ts.

import { joined, type Bytes } from "../base/bytes.js";
import type { WebmendError } from "../base/error.js";
import type { Told } from "./calls.js";
import { Engine } from "./engine.js";
import type { Answer, Call } from "./link.js";
import type { Unreadable } from "./log.js";
import { steps } from "./plans.js";
import type { Remote } from "./remote.js";
import { Stream } from "./stream.js";

const objects = new Map<number, Engine | Stream>();
let last = 0;

onmessage = ({ data }: MessageEvent<WebAssembly.Module>) => {
  objects.set(0, new Engine(data));
  onmessage = ({ data }: MessageEvent<Call | null>) => (data ? answer(data) : postMessage(null)); // it is there
  postMessage(null);
};

async function answer({ call, object: id, method, args, fragments }: Call): Promise<void> {
  const object = objects.get(id);
  const reply: Answer = { call };
  const bytes: Bytes[] = []; // which are the page's from now on
  if (method === "step") args[0] = steps;
  try {
    const value = await (object as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!(...args.map(received));
    if (ArrayBuffer.isView(value)) bytes.push(value as Bytes);
    reply.value = value instanceof Engine || value instanceof Stream ? register(value) : value;
  } catch (error) {
    const { code = "trap", message, offset = 0, path = "" } = error as Partial<WebmendError> & Error;
    reply.error = { code, message, offset, path };
  }
  if (object instanceof Stream) {
    reply.told = own(object.take(fragments), bytes);
    reply.place = { ...object.place, headers: [], report: null }; // which it has told
  }
  if (method === "close") objects.delete(id);
  postMessage(reply, { transfer: bytes.map((b) => b.buffer) });
}

/** An argument as it was in the page: what that could not read cannot be read here. */
function received(arg: unknown): unknown {
  const { unreadable } = Object(arg) as Unreadable;
  return unreadable ? { ...(arg as Unreadable), arrayBuffer: () => Promise.reject(unreadable) } : arg;
}

function register(object: Engine | Stream): Remote {
  objects.set(++last, object);
  return { object: last, handle: object instanceof Stream ? object.handle : -1 };
}

/** Gives what was told bytes of its own, in one piece each, and lists them. */
function own(told: Told, bytes: Bytes[]): Told {
  const one = (parts: Bytes[]) => {
    const whole = joined(parts);
    bytes.push(whole);
    return whole;
  };
  return {
    ...told,
    stored: told.stored.map((s) => ({ ...s, head: one([s.head]), data: [one(s.data)] })),
    clusters: told.clusters.map((c) => ({ ...c, head: one([c.head]), data: c.data && [one(c.data)] })),
  };
}
