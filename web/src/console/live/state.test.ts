import { expect, test } from 'vitest';
import type { LiveEvent } from '../api/types';
import { freshness, LATE_MS, type LiveNews, type LiveState, reduce, START } from './state';

const at = '2026-11-21T10:00:01.000Z';
const event: LiveEvent = {
  at, phase: 'open', deadLetters: 2,
  items: [{ id: 'a', title: 'A', stock: 10, free: 4, unpublished: 0, queued: 2, held: 3, paid: 1, difference: 0 }],
  perSecond: { asked: 5, accepted: 1, refused: 4, placed: 1 },
};
const history = { stepSeconds: 1, points: [{ at: '2026-11-21T10:00:00Z', free: 10, queued: 0, held: 0, paid: 0, asked: 0, accepted: 0, refused: 0 }] };
const after = (...news: LiveNews[]): LiveState => news.reduce(reduce, START);

test('first the history, then each second on top of it', () => {
  const state = after({ is: 'connecting' }, { is: 'history', history, atMs: 0 }, { is: 'event', event, atMs: 1_000 });
  expect(state.link).toBe('live');
  expect(state.series.samples.map(({ free }) => free)).toEqual([10, 4]);
  expect(state.now).toEqual(event);
});

test('a broken stream keeps what was known, and says so until news come again', () => {
  const broken = after({ is: 'history', history, atMs: 0 }, { is: 'event', event, atMs: 1_000 }, { is: 'broken' });
  expect(broken.now).toEqual(event);
  expect(freshness(broken, 9_000)).toEqual({ is: 'reconnecting', ageS: 8 });
  const retrying = reduce(broken, { is: 'connecting' });
  expect(freshness(retrying, 9_000).is).toBe('reconnecting');
  const back = reduce(retrying, { is: 'history', history, atMs: 9_500 });
  expect(freshness(back, 9_600)).toEqual({ is: 'fresh', ageS: 0.1 });
  expect(back.series.samples, 'the history replaces what was drawn').toHaveLength(1);
});

test('the age of the data is told at every moment', () => {
  expect(freshness(START, 0).is).toBe('connecting');
  expect(freshness(after({ is: 'broken' }), 0).is).toBe('never');
  const live = after({ is: 'event', event, atMs: 1_000 });
  expect(freshness(live, 1_000 + LATE_MS).is).toBe('fresh');
  expect(freshness(live, 1_001 + LATE_MS).is).toBe('late');
});

test('hidden is not broken: nothing is expected then', () => {
  const hidden = after({ is: 'event', event, atMs: 0 }, { is: 'hidden' });
  expect(freshness(hidden, 3_600_000).is).toBe('hidden');
  expect(hidden.now).toEqual(event);
});

test('a part that cannot be read keeps its last state beside the newer parts', () => {
  const partial: LiveEvent = { at: '2026-11-21T10:00:02Z', items: [{ id: 'a', title: 'A', stock: 10 }], deadLetters: 3, missing: ['ledger'] };
  const state = after({ is: 'event', event, atMs: 0 }, { is: 'event', event: partial, atMs: 1_000 });
  expect(state.now).toMatchObject({ items: event.items, deadLetters: 3, missing: ['ledger'] });
  expect(state.series.samples, 'what is old is not drawn as new').toHaveLength(1);
  const whole = reduce(state, { is: 'event', event, atMs: 2_000 });
  expect(whole.now).toEqual(event);
});
