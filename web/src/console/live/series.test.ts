import { expect, test } from 'vitest';
import type { Point } from '../api/types';
import { stacked } from './stacked';
import type { Now } from './state';
import { fromHistory, NO_SERIES, SAMPLES_MAX, withLive } from './series';

const START_MS = Date.parse('2026-11-21T10:00:00Z');
const time = (second: number) => new Date(START_MS + second * 1_000).toISOString();

const point = (second: number, more: Partial<Point> = {}): Point =>
  ({ at: time(second), free: 100, queued: 0, held: 0, paid: 0, asked: 0, accepted: 0, refused: 0, ...more });

const event = (second: number, more: Partial<Now> = {}): Now => ({
  at: time(second),
  items: [{ id: 'a', title: 'A', stock: 10, free: 4, unpublished: 1, queued: 2, held: 2, paid: 1, difference: 0 },
    { id: 'b', title: 'B', stock: 5, free: 5, unpublished: 0, queued: 0, held: 0, paid: 0, difference: 0 }],
  perSecond: { asked: 50, accepted: 3, refused: 47, placed: 2 },
  latencyMs: { answer: { p50: 1, p95: 2, p99: 7 } },
  ...more,
});

test('counts of a step of the history become rates per second', () => {
  const { samples } = fromHistory({ stepSeconds: 5, points: [point(5, { asked: 500, accepted: 10, refused: 490, p99Ms: 8 })] });
  expect(samples).toEqual([expect.objectContaining({ asked: 100, accepted: 2, refused: 98, p99Ms: 8 })]);
});

test('a history that comes out of order is drawn in order', () => {
  const { samples } = fromHistory({ stepSeconds: 1, points: [point(2), point(1)] });
  expect(samples.map(({ at }) => at)).toEqual([START_MS / 1_000 + 1, START_MS / 1_000 + 2]);
});

test('steps and levels that the history leaves out are filled in: nothing happened in them', () => {
  const points: Point[] = [
    { at: time(0), free: 10, queued: 1, held: 2, paid: 3, asked: 4, accepted: 1, refused: 3 },
    { at: time(5), held: 1, paid: 4, asked: 0, accepted: 0, refused: 0 },
    { at: time(7), asked: 9, accepted: 0, refused: 9 },
  ];
  const { samples } = fromHistory({ stepSeconds: 1, points });
  expect(samples.map(({ at, asked, held, free }) => [at - START_MS / 1_000, asked, held, free])).toEqual([
    [0, 4, 2, 10], [1, 0, 2, 10], [4, 0, 2, 10], [5, 0, 1, 10], [6, 0, 1, 10], [7, 9, 1, 10],
  ]);
});

test('a second that is told live sums the items, and counts what is not on the queue yet as queued', () => {
  const { samples } = withLive(NO_SERIES, event(1));
  expect(samples).toEqual([{ at: START_MS / 1_000 + 1, free: 9, queued: 3, held: 2, paid: 1, asked: 50, accepted: 3, refused: 47, p99Ms: 7 }]);
});

test('a second that the history had already, or whose ledger is missing, adds nothing', () => {
  const series = fromHistory({ stepSeconds: 1, points: [point(3)] });
  expect(withLive(series, event(3))).toBe(series);
  expect(withLive(series, event(2))).toBe(series);
  const { items: _, ...missing } = event(4, { missing: ['ledger'] });
  expect(withLive(series, missing)).toBe(series);
});

test('hours of a sale stay within the bound, with the newest second and the slowest answer', () => {
  let series = NO_SERIES;
  for (let second = 1; second <= 20_000; second += 1) {
    series = withLive(series, event(second, { latencyMs: { answer: { p50: 1, p95: 2, p99: second === 777 ? 900 : 5 } } }));
  }
  expect(series.samples.length).toBeLessThanOrEqual(SAMPLES_MAX);
  expect(series.samples.at(-1)?.at).toBe(START_MS / 1_000 + 20_000);
  expect(Math.max(...series.samples.map(({ p99Ms }) => p99Ms ?? 0))).toBe(900);
  expect(series.samples.every(({ asked }) => asked === 50), 'a mean of equal rates').toBe(true);
  expect(series.samples.every(({ at }, index, all) => index === 0 || at > (all[index - 1]?.at ?? 0))).toBe(true);
});

test('the stack ends with the whole stock on top of it', () => {
  const { samples } = withLive(NO_SERIES, event(1));
  const [times, top, withoutFree, heldAndPaid, paid] = stacked(samples);
  expect(times).toEqual([START_MS / 1_000 + 1]);
  expect([top, withoutFree, heldAndPaid, paid]).toEqual([[15], [6], [3], [1]]);
});
