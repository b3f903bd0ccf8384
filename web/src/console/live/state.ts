/** How the live page stands: what it knows, how it knows it, and how fresh that is. */

import type { History, LiveEvent } from '../api/types';
import { fromHistory, NO_SERIES, type Series, withLive } from './series';

/** How news reach us: not yet, once a second, not at the moment, or not wanted while nobody looks. */
export type Link = 'connecting' | 'live' | 'broken' | 'hidden';

export interface LiveState {
  link: Link;
  now: LiveEvent | undefined;
  series: Series;
  /** When the last news came, on this device's own monotonic clock. */
  heardAtMs: number | undefined;
}

export type LiveNews =
  | { is: 'connecting' }
  | { is: 'history'; history: History; atMs: number }
  | { is: 'event'; event: LiveEvent; atMs: number }
  | { is: 'broken' }
  | { is: 'hidden' };

export const START: LiveState = { link: 'connecting', now: undefined, series: NO_SERIES, heardAtMs: undefined };

/** Older than this is said to be late, and after {@link SILENT_MS} the stream is opened again. */
export const LATE_MS = 3_000;
export const SILENT_MS = 12_000;

export function reduce(state: LiveState, news: LiveNews): LiveState {
  switch (news.is) {
    case 'connecting':
      // What was known stays on the page until there is something better.
      return { ...state, link: state.link === 'broken' ? 'broken' : 'connecting' };
    case 'history':
      return { ...state, link: 'live', series: fromHistory(news.history), heardAtMs: news.atMs };
    case 'event':
      return {
        link: 'live',
        now: kept(state.now, news.event),
        series: withLive(state.series, news.event),
        heardAtMs: news.atMs,
      };
    case 'broken':
      return { ...state, link: 'broken' };
    case 'hidden':
      return { ...state, link: 'hidden' };
  }
}

/** A part that is missing keeps its last state, and `missing` says that it is old. */
function kept(old: LiveEvent | undefined, event: LiveEvent): LiveEvent {
  return event.missing?.length ? { ...old, ...event } : event;
}

export type Freshness = 'connecting' | 'fresh' | 'late' | 'reconnecting' | 'never' | 'hidden';

export function freshness(state: LiveState, nowMs: number): { is: Freshness; ageS: number } {
  const age = state.heardAtMs === undefined ? undefined : Math.max(0, nowMs - state.heardAtMs);
  const ageS = (age ?? 0) / 1_000;
  if (state.link === 'hidden') return { is: 'hidden', ageS };
  if (age === undefined) return { is: state.link === 'broken' ? 'never' : 'connecting', ageS };
  if (state.link === 'broken') return { is: 'reconnecting', ageS };
  return { is: age > LATE_MS ? 'late' : 'fresh', ageS };
}
