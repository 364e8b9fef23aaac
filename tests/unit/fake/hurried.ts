/** Waiting costs no time, but the clock goes on: what waits for something in vain still ends. */
export async function hurried<T>(body: () => Promise<T>): Promise<T> {
  const [timer, now] = [globalThis.setTimeout, Date.now];
  let skipped = 0;
  Date.now = () => now() + skipped;
  globalThis.setTimeout = ((fn: () => void, milliseconds = 0) => {
    skipped += milliseconds;
    return timer(fn, 0);
  }) as typeof setTimeout;
  try {
    return await body();
  } finally {
    Date.now = now;
    globalThis.setTimeout = timer;
  }
}
