/** Reads something from the server, keeps what was read while it is read again, and drops answers nobody waits for. */

import { useCallback, useEffect, useRef, useState } from 'react';
import { Problem } from './api/http';

export interface Loaded<T> {
  data: T | undefined;
  problem: Problem | undefined;
  loading: boolean;
  /** When `data` was read. */
  at: number | undefined;
  reload: () => void;
  /** Puts a newer state in the place of what was read. */
  set: (data: T) => void;
}

/** `key` names what is read: another key forgets the old answer. `everyMs` reads again while the tab is seen. */
export function useLoad<T>(key: string, read: () => Promise<T>, everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; problem?: Problem; at?: number; loading: boolean }>({
    key,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(read);
  useEffect(() => {
    latest.current = read;
  });

  useEffect(() => {
    let wanted = true;
    setState((old) => (old.key === key ? { ...old, loading: true } : { key, loading: true }));
    latest.current().then(
      (data) => {
        if (wanted) setState({ key, data, at: Date.now(), loading: false });
      },
      (error: unknown) => {
        if (wanted) setState((old) => ({ ...old, problem: asProblem(error), loading: false }));
      },
    );
    return () => {
      wanted = false;
    };
  }, [key, turn]);

  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((n) => n + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const set = useCallback((data: T) => setState({ key, data, at: Date.now(), loading: false }), [key]);
  const current = state.key === key ? state : { key, loading: true };
  return {
    data: 'data' in current ? current.data : undefined,
    problem: 'problem' in current ? current.problem : undefined,
    at: 'at' in current ? current.at : undefined,
    loading: current.loading,
    reload,
    set,
  };
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, 'no-answer', String(error));
}
