import { expect, test } from 'vitest';
import { flatDifferences } from './changes';

test('what differs is told field by field, in whatever is nested', () => {
  expect(flatDifferences({ a: { b: 1, c: 2 }, d: [1, 2] }, { a: { b: 1, c: 3 }, d: [1, 5], e: null })).toEqual([
    { path: 'a.c', before: '2', after: '3' },
    { path: 'd.1', before: '2', after: '5' },
  ]);
});

test('without a before, everything is new; what is gone is told too', () => {
  expect(flatDifferences(null, { state: 'open' })).toEqual([{ path: 'state', before: undefined, after: 'open' }]);
  expect(flatDifferences({ a: 1 }, {})).toEqual([{ path: 'a', before: '1', after: '–' }]);
});
