// Reads an input for the command line: split into headers and clusters, or element by element.

import { WebmendError } from "../base/error.js";
import type { ClusterFacts, Element, Problem } from "../base/types.js";
import type { ModuleReport } from "../engine/answers.js";
import { instance } from "../engine/load.js";
import { pieceLength } from "../engine/module.js";
import { Splitter, Walker } from "../engine/scan.js";
import { Progress, type Input } from "./files.js";

/** All that an input holds. */
export interface Contents {
  report: ModuleReport;
  clusters: ClusterFacts[];
  splitter: Splitter;
}

/** Splits all of an input, or what comes up to its nth header. */
export async function split(input: Input, headers = Infinity): Promise<Contents> {
  const splitter = new Splitter(await instance(), true);
  const progress = new Progress(input.size);
  const clusters: ClusterFacts[] = [];
  const take = () => {
    while (splitter.takeHeader()) headers--;
    for (const { form: _form, fromZero: _zero, ...known } of splitter.takeClusters()) clusters.push(known);
  };
  let seen = 0;
  try {
    for (;;) {
      while (splitter.at < input.size && headers > 0) {
        const { at } = splitter;
        const news = splitter.push(input.piece(at, splitter.pace), !input.begins(at)); // the report has its error
        if (at < input.joinedAt && splitter.at === input.joinedAt) splitter.lost();
        if (news) take();
        progress.add(Math.max(0, splitter.at - seen));
        seen = Math.max(seen, splitter.at);
      }
      const end = splitter.at;
      const report = splitter.finish();
      if (splitter.at !== end && headers > 0) continue;
      take();
      return { report, clusters, splitter };
    }
  } finally {
    progress.end();
  }
}

/** Visits every element of a stream, some at a time, up to the first that is wrong, and returns what is. */
export async function walk(stream: Iterable<Uint8Array>, visit: (elements: Element[]) => void): Promise<Problem | null> {
  const walker = new Walker(await instance());
  let problem: Problem | null = null;
  try {
    for (const bytes of stream) {
      // Small pieces, as what they hold can be more text than bytes.
      for (let i = 0; i < bytes.length && !problem; i += pieceLength) {
        problem = push(walker, bytes.subarray(i, i + pieceLength));
        visit(walker.takeElements());
      }
      if (problem) return problem;
    }
    problem = walker.finish();
    visit(walker.takeElements());
    return problem;
  } finally {
    walker.close();
  }
}

function push(walker: Walker, bytes: Uint8Array): Problem | null {
  try {
    walker.push(bytes);
    return null;
  } catch (error) {
    if (!(error instanceof WebmendError) || error.code === "trap") throw error;
    const { code, offset, path, message } = error;
    return { code, offset, path, message };
  }
}
