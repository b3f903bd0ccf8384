// Something on the page that is asked for again and again, politely: not while hidden, not before Retry-After.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Answer } from '../../client/http';
import { clock } from './clock';
import type { Problem } from './shop';

export interface Watched<Body> {
  /** As last read; stays when a later question fails. */
  body?: Body;
  /** When that was, by the shop's clock. */
  at?: number;
  /** Why the last question failed. */
  problem?: Problem | undefined;
  /** Asks now. */
  look(): void;
}

/** Pages that opened together do not ask together. */
const SPREAD = 0.5;
/** After a question that failed without saying when to come back. */
const AFTER_FAILURE_MS = 3_000;

/**
 * Asks `question` now and every `everyMs(body)`; `null`: not again by itself. `key` says what is asked for: another key
 * begins anew.
 */
export function useWatched<Body>(
  key: string, question: (signal: AbortSignal) => Promise<Answer<Body>>, everyMs: (body: Body) => number | null,
): Watched<Body> {
  const [known, setKnown] = useState<Omit<Watched<Body>, 'look'> & { key: string }>({ key });
  const latest = useRef({ question, everyMs });
  latest.current = { question, everyMs };
  const again = useRef<() => void>(() => undefined);

  useEffect(() => {
    const stopping = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    let held = 0;
    const later = (ms: number) => {
      timer = setTimeout(() => {
        held = 0;
        void look();
      }, ms);
    };
    async function look() {
      // Whoever is told to come back later has a timer for that; whoever is hidden is woken.
      if (asking || document.hidden || performance.now() < held) return;
      clearTimeout(timer);
      asking = true;
      const answer = await latest.current.question(stopping.signal);
      asking = false;
      if (stopping.signal.aborted) return;
      if (answer.ok) {
        setKnown({ key, body: answer.body, at: clock.now() });
        const next = latest.current.everyMs(answer.body);
        if (next !== null) later(next * (1 + Math.random() * SPREAD));
      } else {
        setKnown((before) => ({ ...(before.key === key ? before : { key }), problem: answer.problem }));
        const wait = answer.retryAfterS === undefined ? AFTER_FAILURE_MS : answer.retryAfterS * 1_000;
        held = answer.retryAfterS === undefined ? 0 : performance.now() + wait;
        later(wait);
      }
    }
    again.current = () => void look();
    void look();
    const wake = () => void look();
    document.addEventListener('visibilitychange', wake);
    addEventListener('online', wake);
    return () => {
      stopping.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
      removeEventListener('online', wake);
    };
  }, [key]);

  const look = useCallback(() => again.current(), []);
  return known.key === key ? { ...known, look } : { look };
}
