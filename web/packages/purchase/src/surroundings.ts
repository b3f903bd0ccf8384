// Everything that a purchase takes from the browser. Given, not taken, so that tests can be the browser.
import { createShared, type Shared } from './shared';
import type { Attempt } from './types';

/** The part of the Web Storage API that is used. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export interface Surroundings {
  fetch: typeof fetch;
  /** The shop's clock in milliseconds, see `createClock`. */
  now(): number;
  /** 0 to 1. */
  random(): number;
  /** Resolves after `ms`; rejects when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Resolves at once, or when the network is back. */
  online(signal: AbortSignal): Promise<void>;
  /** Survives a reload of this tab: the attempt. */
  session: Store;
  /** Seen by every tab: the ticket, so that two tabs make one purchase. */
  shared: Shared;
  /** Tells the other tabs, and hears them; returns how to stop hearing. */
  tell(news: News): void;
  hear(listener: (news: News) => void): () => void;
  /** For proofs of work; absent on pages that came neither over TLS nor from this machine. */
  subtle: SubtleCrypto | undefined;
}

/** A tab has sent an attempt. */
export interface News { sale: string; buyer: string; attempt: Attempt }

const stopped = (signal: AbortSignal) => signal.reason ?? new DOMException('stopped', 'AbortError');

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(stopped(signal));
    const end = () => { clearTimeout(timer); reject(stopped(signal)); };
    const timer = setTimeout(() => { signal.removeEventListener('abort', end); resolve(); }, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

function online(signal: AbortSignal): Promise<void> {
  if (navigator.onLine) return Promise.resolve();
  return new Promise((resolve, reject) => {
    addEventListener('online', () => resolve(), { once: true, signal });
    signal.addEventListener('abort', () => reject(stopped(signal)), { once: true });
  });
}

/** A store that works where the browser forbids the real one; it forgets at a reload. */
function memory(): Store {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

function session(): Store {
  try {
    return globalThis.sessionStorage;
  } catch {
    return memory();
  }
}

/** The browser. `now` comes from `createClock`. */
export function browser(now: () => number): Surroundings {
  const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('seckill-purchase');
  return {
    fetch: (...request) => fetch(...request),
    now,
    random: Math.random,
    sleep,
    online,
    session: session(),
    shared: createShared(),
    tell: (news) => channel?.postMessage(news),
    hear: (listener) => {
      const heard = (event: MessageEvent<News>) => listener(event.data);
      channel?.addEventListener('message', heard);
      return () => channel?.removeEventListener('message', heard);
    },
    subtle: globalThis.crypto?.subtle,
  };
}
