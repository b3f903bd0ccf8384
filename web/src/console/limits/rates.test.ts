import { expect, test } from 'vitest';
import type { Limits, Rule } from '../api/types';
import { check, differences, draftOf, editOf, isLimits, limitsOf, newRule } from './rates';

const rate = () => ({ enabled: true, perSecond: 5, burst: 10 });
const hall: Rule = { name: 'hall', action: 'order', subject: 'sale', algorithm: 'gcra', limit: 8_000, windowSeconds: 1 };
const before: Limits = { local: { perIp: rate(), tokenPerBuyer: rate(), orderPerBuyer: rate(), status: rate() }, shared: [hall] };
const changed = (change: (limits: Limits) => void): Limits => {
  const after = structuredClone(before);
  change(after);
  return after;
};

test('what is not touched is not sent', () => {
  expect(limitsOf(editOf(before))).toEqual(before);
  expect(draftOf(before, before)).toEqual({});
  expect(differences(before, before)).toEqual([]);
});

test('one number that differs is the whole draft', () => {
  const after = changed((limits) => { limits.local.perIp.burst = 3; });
  expect(draftOf(before, after)).toEqual({ local: { perIp: { burst: 3 } } });
  expect(differences(before, after)).toEqual([{ of: 'local', name: 'perIp', field: 'burst', before: 10, after: 3 }]);
});

test('rules come, change and go by their names', () => {
  const door: Rule = { ...hall, name: 'door', limit: 5 };
  const after = changed((limits) => { limits.shared = [door]; });
  expect(draftOf(before, after)).toEqual({ shared: [door], remove: ['hall'] });
  const wider = changed((limits) => { limits.shared = [{ ...hall, limit: 9_000 }]; });
  expect(draftOf(before, wider)).toEqual({ shared: [{ ...hall, limit: 9_000 }] });
  expect(differences(before, after).map(({ before: old, after: now }) => [old === undefined, now === undefined])).toEqual([[false, true], [true, false]]);
});

test('a change and its way back cancel each other', () => {
  const after = changed((limits) => { limits.local.status.enabled = false; limits.shared = []; });
  expect(draftOf(after, before)).toEqual({ local: { status: { enabled: true } }, shared: [hall] });
});

test('impossible numbers and names are found where they are', () => {
  const edit = editOf(before);
  edit.local.perIp.burst = '0';
  edit.local.status.perSecond = '1.5';
  edit.shared.push({ ...newRule(edit.shared), name: 'hall', limit: '100001' });
  edit.shared.push({ ...newRule(edit.shared), name: 'A b', algorithm: 'sliding-window', limit: '10001', windowSeconds: '86401' });
  expect(check(edit)).toEqual({
    'local.perIp.burst': 'rate', 'local.status.perSecond': 'rate', 'shared[1].name': 'twice', 'shared[1].limit': 'spacing',
    'shared[2].name': 'name', 'shared[2].limit': 'exact', 'shared[2].windowSeconds': 'window',
  });
});

test('even spacing over a longer window may let more through in all', () => {
  const edit = editOf(before);
  const [rule] = edit.shared;
  if (rule) Object.assign(rule, { limit: '600000', windowSeconds: '60' });
  expect(check(edit)).toEqual({});
});

test('only a document of limits is taken for one', () => {
  expect(isLimits(before)).toBe(true);
  for (const other of [null, undefined, {}, { shared: [] }, { local: {}, shared: [] }]) expect(isLimits(other)).toBe(false);
});
