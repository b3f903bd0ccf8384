// The shop's clock on this device. The device's own may be wrong by hours: only its steady counter is used.

export interface Clock {
  /** Milliseconds since 1970, as the shop counts them. */
  now(): number;
  /** Takes `samples` looks at the shop's clock. The one with the shortest way is nearest to the truth. */
  set(samples?: number): Promise<void>;
}

interface Options {
  base?: string;
  fetch?: typeof fetch;
  /** A counter that never jumps. */
  steady?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

/** Between samples, so that they do not wait in the same queue. */
const APART_MS = 120;

/** A clock that is the device's until it has been set. */
export function createClock(options: Options = {}): Clock {
  const {
    base = '', fetch: fetcher = (...request) => fetch(...request), steady = () => performance.now(),
    sleep = (ms) => new Promise((done) => setTimeout(done, ms)),
  } = options;
  let ahead = Date.now() - steady();
  return {
    now: () => steady() + ahead,
    async set(samples = 5) {
      let shortest = Infinity;
      for (let sample = 0; sample < samples; sample += 1) {
        if (sample > 0) await sleep(APART_MS);
        const sent = steady();
        try {
          const answer = await fetcher(`${base}/api/v1/time`, { cache: 'no-store', signal: AbortSignal.timeout(5_000) });
          const way = steady() - sent;
          const { now } = await answer.json() as { now: string };
          const told = Date.parse(now);
          if (way >= shortest || Number.isNaN(told)) continue;
          shortest = way;
          ahead = told + way / 2 - (sent + way);
        } catch {
          // The next sample, or the next time.
        }
      }
    },
  };
}
