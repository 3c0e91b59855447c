// A deadline for what may never come.

/**
 * What a promise resolves to, if that is within so many seconds. Otherwise it rejects with a
 * DOMException by the name `TimeoutError`, which says `what` did not answer.
 *
 * The time is two timers, one after the other: a page that was frozen finds one over as it
 * wakes up, and then still gives the other to what was frozen with it.
 *
 * @internal
 */
export function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    const half = (seconds * 1000) / 2;
    const over = () => reject(new DOMException(`${what} has not answered for ${seconds} s`, "TimeoutError"));
    timer = setTimeout(() => (timer = setTimeout(over, half)), half);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
