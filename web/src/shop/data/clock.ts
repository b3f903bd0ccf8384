// The shop's time, on the whole page.
import { useEffect, useState } from 'react';
import { createClock } from 'seckill-purchase';

export const clock = createClock();

const EVERY_MS = 60_000;

/** Sets the clock now, every minute, and when the page or the network wakes. */
export function keepTime() {
  const set = (samples: number) => void clock.set(samples).then(tell);
  set(5);
  setInterval(() => set(3), EVERY_MS);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) set(3); });
  addEventListener('online', () => set(3));
}

const listeners = new Set<() => void>();
const tell = () => { for (const listener of listeners) listener(); };

/**
 * The shop's time in milliseconds; drawn anew with each full second, and at exactly each of the `instants`: a button
 * that opens then opens for everyone at once.
 */
export function useNow(...instants: number[]): number {
  const [, draw] = useState(0);
  const key = instants.join();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const tick = () => {
      clearTimeout(timer);
      const at = clock.now();
      draw(at);
      const second = 1_000 - (at % 1_000);
      const next = Math.min(second, ...key.split(',').map(Number).filter((instant) => instant > at).map((instant) => instant - at));
      timer = setTimeout(tick, Math.max(1, Math.ceil(next)));
    };
    tick();
    listeners.add(tick);
    return () => {
      clearTimeout(timer);
      listeners.delete(tick);
    };
  }, [key]);
  return clock.now();
}
