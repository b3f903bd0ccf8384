import { expect, test } from 'vitest';
import type { Concurrency } from '../api/types';
import { changeOf, check, differences, editOf, rulesOf } from './flight';

const before: Concurrency = {
  enabled: true, global_max: 0, account_max: 1, timeout: 300,
  platform_max: { douyin: 50 }, task_type_max: { publish: 0, refund: 4 },
};

test('what is not touched is not sent', () => {
  expect(rulesOf(editOf(before))).toEqual(before);
  expect(changeOf(before, before)).toEqual({});
});

test('only what differs is sent, also inside a map', () => {
  const after = { ...before, global_max: 500, task_type_max: { publish: 0, refund: 2 } };
  expect(changeOf(before, after)).toEqual({ global_max: 500, task_type_max: { refund: 2 } });
  expect(differences(before, after)).toEqual([
    { field: 'global_max', before: 0, after: 500 },
    { field: 'task_type_max', name: 'refund', before: 4, after: 2 },
  ]);
});

test('taking a new channel back sets it to any number, because names stay', () => {
  const after = { ...before, platform_max: { douyin: 50, app: 3 } };
  expect(changeOf(before, after)).toEqual({ platform_max: { app: 3 } });
  expect(changeOf(after, before)).toEqual({ platform_max: { app: 0 } });
  expect(changeOf({ ...before, platform_max: { douyin: 50, app: 0 } }, before), '0 is the same as absent').toEqual({});
});

test('impossible numbers and names are found where they are', () => {
  const edit = editOf(before);
  edit.global_max = '-1';
  edit.timeout = '0';
  edit.platform_max.push({ key: 1, known: false, name: 'Ä', max: 'x' }, { key: 2, known: false, name: 'douyin', max: '1' });
  expect(check(edit)).toEqual({
    global_max: 'flight', timeout: 'timeout', 'platform_max.1.max': 'flight', 'platform_max.1.name': 'channel', 'platform_max.2.name': 'twice',
  });
});
