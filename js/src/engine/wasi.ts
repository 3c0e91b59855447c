// The functions of WASI that Go's runtime imports.

/** What Go's runtime asks of its host. The module itself asks for nothing. */
export function wasi(memory: () => WebAssembly.Memory, say: (text: Uint8Array) => void): Record<string, (...args: number[]) => number> {
  const view = () => new DataView(memory().buffer);
  const zero = (...addresses: number[]) => {
    for (const address of addresses) view().setUint32(address, 0, true);
    return 0;
  };
  return {
    args_get: () => 0,
    args_sizes_get: zero, // how many there are, and how long
    environ_get: () => 0,
    environ_sizes_get: zero,
    sched_yield: () => 0,
    // The collector asks whether anything has happened, as it goes: nothing has.
    poll_oneoff: (_subscriptions, _events, _count, happened) => zero(happened!),
    // The collector wants to know how long it takes; the time of day nobody.
    clock_time_get(_clock, _precision, time) {
      const ms = performance.now() + 1; // a clock at 0 is fatal to Go's collector
      view().setBigUint64(time!, BigInt(Math.round(ms * 1e6)), true);
      return 0;
    },
    random_get(address, length) {
      crypto.getRandomValues(new Uint8Array(memory().buffer, address, length));
      return 0;
    },
    // Only a crash of Go's runtime writes, a word at a time, which is one vector.
    fd_write(_fd, vector, _count, written) {
      const address = view().getUint32(vector!, true);
      const length = view().getUint32(vector! + 4, true);
      say(new Uint8Array(memory().buffer, address, length));
      view().setUint32(written!, length, true);
      return 0;
    },
    proc_exit(code) {
      throw new Error(`exit ${code}`);
    },
  };
}
