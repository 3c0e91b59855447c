// The files of the command line: those it reads, as one stream, and the one it writes,
// completely or not at all.

import { closeSync, fstatSync, mkdtempSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** A mistake in how the command was called. */
export class UsageError extends Error {}

/** A file of an input. */
interface InputFile {
  readonly path: string;
  readonly fd: number;
  /** Where it begins in the stream. */
  start: number;
  readonly size: number;
}

/** The chunks as one stream. */
export class Input {
  readonly #files: InputFile[] = [];
  readonly #buffer = new Uint8Array(1 << 20);
  #begins = new Set<number>();
  #temporary: string | undefined;
  size = 0;
  /** Where the chunks begin after a header that comes from elsewhere, with something lost in between; -1 if there is none. */
  readonly joinedAt: number = -1;

  constructor(paths: string[], header?: string) {
    const all = header === undefined ? paths : [header, ...paths];
    for (const [i, path] of all.entries()) {
      if (header !== undefined && i === 1) this.joinedAt = this.size;
      let fd = path === "-" ? 0 : openSync(path, "r");
      const stat = fstatSync(fd);
      if (stat.isDirectory()) throw new UsageError(`${path} is a folder`);
      const size = stat.isFile() && path !== "-" ? stat.size : readAll(fd, (fd = this.#spool()));
      if (size === 0) {
        closeSync(fd);
        continue;
      }
      this.#files.push({ path, fd, start: this.size, size });
      this.size += size;
    }
    this.#place();
  }

  /** The files that hold any bytes, in order. */
  get files(): readonly Readonly<InputFile>[] {
    return this.#files;
  }

  /** Whether a file begins at an offset: each is a chunk. */
  begins(offset: number): boolean {
    return this.#begins.has(offset);
  }

  /** Exchanges file i with the next, and returns their paths in the order that they had. */
  exchange(i: number): [string, string] {
    const [a, b] = this.#files.slice(i, i + 2) as [InputFile, InputFile];
    this.#files.splice(i, 2, b, a);
    this.#place();
    return [a.path, b.path];
  }

  #place(): void {
    let start = 0;
    for (const file of this.#files) {
      file.start = start;
      start += file.size;
    }
    this.#begins = new Set(this.#files.map((f) => f.start));
  }

  /** A file for what can be read only once. */
  #spool(): number {
    this.#temporary ??= mkdtempSync(join(tmpdir(), "webmend-"));
    return openSync(join(this.#temporary, String(this.#files.length)), "w+");
  }

  /** The bytes from start up to end, in pieces of one file that are valid until the next. */
  *read(start = 0, end = this.size): Generator<Uint8Array> {
    for (let at = start; at < end; ) {
      const piece = this.piece(at, end - at);
      yield piece;
      at += piece.length;
    }
  }

  /** Bytes of one file from an offset on, as many as are wanted or fewer, that are valid until the next. */
  piece(at: number, wanted: number): Uint8Array {
    const { path, fd, start, size } = this.#files.findLast((f) => f.start <= at)!;
    const n = readSync(fd, this.#buffer, 0, Math.min(this.#buffer.length, wanted, start + size - at), at - start);
    if (n === 0) throw new Error(`${path} became shorter while it was read`);
    return this.#buffer.subarray(0, n);
  }

  /** Where an offset of the stream is, for people who have files. */
  place(offset: number): string {
    const file = this.#files.findLast((f) => f.start <= offset);
    return this.#files.length > 1 && file ? ` (${file.path} at ${offset - file.start})` : "";
  }

  close(): void {
    for (const { fd } of this.#files) closeSync(fd);
    if (this.#temporary) rmSync(this.#temporary, { recursive: true });
  }
}

function readAll(from: number, to: number): number {
  const buffer = new Uint8Array(1 << 20);
  for (let size = 0; ; ) {
    let n: number;
    try {
      n = readSync(from, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EOF") return size;
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // a pipe that has nothing yet
      continue;
    }
    if (n === 0) return size;
    writeFully(to, buffer.subarray(0, n));
    size += n;
  }
}

export function writeFully(fd: number, bytes: Uint8Array): void {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // a pipe whose reader is slow
    }
  }
}

/** Progress on a terminal, of jobs that last. */
export class Progress {
  readonly #begin = performance.now();
  #shown = 0;
  #done = 0;

  constructor(readonly total: number) {}

  add(bytes: number): void {
    this.#done += bytes;
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#begin < 500 || now - this.#shown < 100) return;
    this.#shown = now;
    process.stderr.write(`\r${((100 * this.#done) / this.total).toFixed(0)} % of ${(this.total / 1e6).toFixed(0)} MB \x1b[K`);
  }

  /** The pieces of a stream, counted as they are done. */
  *of(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    try {
      for (const piece of pieces) {
        yield piece;
        this.add(piece.length);
      }
    } finally {
      this.end();
    }
  }

  end(): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
  }
}

/** Writes a file that is there whole or not at all. */
export function writeFile(output: string | undefined, copy: (fd: number) => void): void {
  if (output === undefined && process.stdout.isTTY) throw new UsageError("say where to write: -o FILE");
  if (output === undefined || output === "-") return copy(1);
  const beside = join(dirname(output), `.${basename(output)}.${process.pid}.part`);
  const fd = openSync(beside, "wx");
  try {
    try {
      copy(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, output);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
