/** How the live page stands: what it knows, how it knows it, and how fresh that is. */

import type { History, LiveEvent, LiveItem, ToldItem } from '../api/types';
import { fromHistory, NO_SERIES, type Series, withLive } from './series';

/** How news reach us: not yet, once a second, not at the moment, or not wanted while nobody looks. */
export type Link = 'connecting' | 'live' | 'broken' | 'hidden';

/** The newest news. A part that cannot be read keeps its last state; `missing` says that it is old. */
export interface Now extends Omit<LiveEvent, 'items'> {
  items?: LiveItem[];
}

export interface LiveState {
  link: Link;
  now: Now | undefined;
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
    case 'event': {
      const event = whole(news.event);
      return {
        link: 'live',
        now: event.missing?.length ? { ...state.now, ...event } : event,
        series: withLive(state.series, event),
        heardAtMs: news.atMs,
      };
    }
    case 'broken':
      return { ...state, link: 'broken' };
    case 'hidden':
      return { ...state, link: 'hidden' };
  }
}

/** Items of which only the stock is known are left out: the last ones that were whole say more. */
function whole({ items, ...event }: LiveEvent): Now {
  const isWhole = (item: ToldItem): item is LiveItem => item.free !== undefined;
  return items?.every(isWhole) ? { ...event, items } : event;
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
