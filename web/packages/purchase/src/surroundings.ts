// Everything that a purchase takes from the browser. Given, not taken, so that tests can be the browser.
import type { Attempt, Ticket } from './types';

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
  shared: Store;
  /** Runs `work` while no other tab does. */
  alone(name: string, work: () => void): Promise<void>;
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

/** What one tab has written another one sees a moment later: so long the next has to wait for the lock. */
const SEEN_MS = 50;

/** A store that works where the browser forbids the real one; it forgets at a reload. */
function memory(): Store {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

function store(name: 'sessionStorage' | 'localStorage'): Store {
  try {
    return globalThis[name];
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
    session: store('sessionStorage'),
    shared: store('localStorage'),
    // Locks are for secure pages only. Without them two taps in two tabs within the same few milliseconds are two.
    alone: (name, work) => new Promise((done, failed) => {
      const worked = () => { work(); done(); };
      if (!navigator.locks) return worked();
      navigator.locks.request(name, () => { worked(); return new Promise((later) => setTimeout(later, SEEN_MS)); }).catch(failed);
    }),
    tell: (news) => channel?.postMessage(news),
    hear: (listener) => {
      const heard = (event: MessageEvent<News>) => listener(event.data);
      channel?.addEventListener('message', heard);
      return () => channel?.removeEventListener('message', heard);
    },
    subtle: globalThis.crypto?.subtle,
  };
}

/** Attempts and tickets by sale and buyer. What cannot be read is as if it were not there. */
export function books({ session, shared }: Pick<Surroundings, 'session' | 'shared'>, sale: string) {
  const read = <T>(from: Store, key: string): T | undefined => {
    try {
      return JSON.parse(from.getItem(key) ?? 'null') ?? undefined;
    } catch {
      return undefined;
    }
  };
  const write = (to: Store, key: string, value: unknown) => {
    try {
      if (value === undefined) to.removeItem(key);
      else to.setItem(key, JSON.stringify(value));
    } catch {
      // A full or forbidden store: this tab goes on, a reload forgets.
    }
  };
  const attempt = (buyer: string) => `seckill.attempt.${sale}.${buyer}`;
  const ticket = (buyer: string) => `seckill.ticket.${sale}.${buyer}`;
  return {
    attempt: (buyer: string) => read<Attempt>(session, attempt(buyer)),
    keepAttempt: (buyer: string, kept: Attempt | undefined) => write(session, attempt(buyer), kept),
    ticket: (buyer: string) => read<Kept>(shared, ticket(buyer)),
    keepTicket: (buyer: string, kept: Kept | undefined) => write(shared, ticket(buyer), kept),
  };
}

/** A ticket as all tabs know it. */
export interface Kept {
  ticket: Ticket;
  /** Some tab has sent it, and does not know yet what came of it. */
  sent: boolean;
  /** When it became an order. A tap in another tab that was made before leads there too. */
  ended?: number;
}
