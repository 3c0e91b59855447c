// Plans files in an instance of the module: what it must read for that, and the pieces that it
// lists. In a page make.js has this, which carries the plans out; the worker has it, too.

import { read, type Bytes } from "../base/bytes.js";
import { WebmendError } from "../base/error.js";
import type { Problem } from "../base/types.js";
import type { MadePlan, Plan, Read } from "./answers.js";
import type { Instance } from "./module.js";

/** What a plan's flags say. */
export const planFlags = { stored: 1, keepUndecodable: 2 } as const;

/** Begins the plan of a recording; a and b are what its kind wants. */
export function plan(instance: Instance, handle: number, kind: number, recording: number, flags: number, a?: number, b?: number): number {
  return begun(instance.call((module) => module.plan(handle, kind, recording, flags, a, b)));
}

/** Begins the plan of all recordings of streams, one after the other. */
export function join(instance: Instance, handles: number[], flags: number): number {
  const memory = instance.reserve();
  new Int32Array(memory.buffer, memory.byteOffset).set(handles);
  return begun(instance.call((module) => module.join(handles.length, flags)));
}

/** What a plan must read next, or its pieces. */
export function takePlan(instance: Instance, plan: number): Plan {
  const taken = instance.ask(plan, "takePlan") as Plan | null;
  if (!taken) throw new WebmendError(instance.ask(plan, "lastError") as Problem);
  return taken;
}

/** A copy of the bytes of a plan that are not ranges. */
export function takeLiterals(instance: Instance, plan: number): Bytes {
  return instance.answer(plan, "takeLiterals").slice();
}

function begun(plan: number): number {
  if (plan < 0) throw noRecording();
  return plan;
}

/** What cannot be made of a recording that is not there. */
export const noRecording = () => new WebmendError({ code: "no-clusters", message: "webmend: no such recording yet" });

/** The pieces of a plan, and its bytes that are no ranges; or what it must read before it can be made. */
export type Pieces = { plan: number } & ({ reads: Read[] } | (MadePlan & { literals: Bytes }));

/** The steps to a file, each taken in the instance that a stream is in, wherever that is. */
export const steps = {
  /** Begins the plan of a recording of the stream. */
  async plan(instance: Instance, handle: number, kind: number, recording: number, flags: number, a?: number, b?: number): Promise<Pieces> {
    return firstPieces(instance, plan(instance, handle, kind, recording, flags, a, b));
  },

  /** Begins the plan of the stream and others of the same instance, one after the other. */
  async join(instance: Instance, handle: number, others: number[], flags: number): Promise<Pieces> {
    return firstPieces(instance, join(instance, [handle, ...others], flags));
  },

  /** Gives a plan what it must read. */
  async complete(instance: Instance, _handle: number, plan: number, reads: Blob[]): Promise<Pieces> {
    for (const blob of reads) instance.pushAll(plan, await read(blob, "what was recorded"));
    return pieces(instance, plan);
  },

  /** The bytes of piece i of a plan, edited. */
  async edit(instance: Instance, _handle: number, plan: number, i: number, blob: Blob): Promise<Bytes> {
    const bytes = await read(blob, "what was recorded");
    instance.edit(plan, i, bytes);
    return bytes;
  },

  async close(instance: Instance, _handle: number, plan: number): Promise<void> {
    instance.close(plan);
  },
};

export type Steps = typeof steps;

/** What a step is given besides the instance and the stream's handle. */
export type StepArgs<Name extends keyof Steps> = Steps[Name] extends (instance: Instance, handle: number, ...args: infer Args) => unknown ? Args : never;

/** What comes of it. */
export type Stepped<Name extends keyof Steps> = Awaited<ReturnType<Steps[Name]>>;

function firstPieces(instance: Instance, plan: number): Pieces {
  try {
    return pieces(instance, plan);
  } catch (error) {
    instance.close(plan);
    throw error;
  }
}

function pieces(instance: Instance, plan: number): Pieces {
  const taken = takePlan(instance, plan);
  return "reads" in taken ? { plan, ...taken } : { plan, ...taken, literals: takeLiterals(instance, plan) };
}
