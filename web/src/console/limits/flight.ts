/** What may be under way at once, in a form: what is typed, what is wrong with it, and what a change of it is. */

import type { Concurrency } from '../api/types';
import { whole } from '../sales/draft';

export interface FlightEdit {
  enabled: boolean;
  global_max: string;
  account_max: string;
  timeout: string;
  platform_max: Entry[];
  task_type_max: Entry[];
}

/** A named maximum. */
export interface Entry {
  key: number;
  known: boolean;
  name: string;
  max: string;
}

export type Wrong = 'flight' | 'timeout' | 'channel' | 'twice';

const MAX = 1_000_000;
const TIMEOUT_MAX_S = 86_400;
const CHANNEL = /^[a-z0-9-]{1,32}$/;

export function editOf(rules: Concurrency): FlightEdit {
  const entries = (map: Record<string, number>) =>
    Object.entries(map).map(([name, max], key) => ({ key, known: true, name, max: String(max) }));
  return {
    enabled: rules.enabled,
    global_max: String(rules.global_max),
    account_max: String(rules.account_max),
    timeout: String(rules.timeout),
    platform_max: entries(rules.platform_max),
    task_type_max: entries(rules.task_type_max),
  };
}

export function check(edit: FlightEdit): Record<string, Wrong> {
  const errors: Record<string, Wrong> = {};
  for (const field of ['global_max', 'account_max'] as const) {
    if (whole(edit[field], 0, MAX) === undefined) errors[field] = 'flight';
  }
  if (whole(edit.timeout, 1, TIMEOUT_MAX_S) === undefined) errors['timeout'] = 'timeout';
  for (const map of ['platform_max', 'task_type_max'] as const) {
    edit[map].forEach(({ key, name, max, known }, at) => {
      if (whole(max, 0, MAX) === undefined) errors[`${map}.${key}.max`] = 'flight';
      if (!known && !CHANNEL.test(name)) errors[`${map}.${key}.name`] = 'channel';
      if (edit[map].slice(0, at).some((other) => other.name === name)) errors[`${map}.${key}.name`] = 'twice';
    });
  }
  return errors;
}

/** The rules that a flawless edit describes. */
export function rulesOf(edit: FlightEdit): Concurrency {
  const map = (entries: Entry[]) => Object.fromEntries(entries.map(({ name, max }) => [name, Number(max)]));
  return {
    enabled: edit.enabled,
    global_max: Number(edit.global_max),
    account_max: Number(edit.account_max),
    timeout: Number(edit.timeout),
    platform_max: map(edit.platform_max),
    task_type_max: map(edit.task_type_max),
  };
}

/**
 * What has to be sent so that `before` becomes `after`: only what differs. A name cannot be taken out of a map; one that
 * is gone gets 0, which means any number, and is the same.
 */
export function changeOf(before: Concurrency, after: Concurrency): Partial<Concurrency> {
  const change: Partial<Concurrency> = {};
  if (before.enabled !== after.enabled) change.enabled = after.enabled;
  for (const field of ['global_max', 'account_max', 'timeout'] as const) {
    if (before[field] !== after[field]) change[field] = after[field];
  }
  for (const map of ['platform_max', 'task_type_max'] as const) {
    const names = namesOf(before[map], after[map]).filter((name) => (before[map][name] ?? 0) !== (after[map][name] ?? 0));
    if (names.length > 0) change[map] = Object.fromEntries(names.map((name) => [name, after[map][name] ?? 0]));
  }
  return change;
}

export interface FlightChange {
  field: 'enabled' | 'global_max' | 'account_max' | 'timeout' | 'platform_max' | 'task_type_max';
  /** In a map: whose. */
  name?: string;
  before: number | boolean;
  after: number | boolean;
}

export function differences(before: Concurrency, after: Concurrency): FlightChange[] {
  const change = changeOf(before, after);
  const plain = (['enabled', 'global_max', 'account_max', 'timeout'] as const).flatMap((field): FlightChange[] => {
    const wanted = change[field];
    return wanted === undefined ? [] : [{ field, before: before[field], after: wanted }];
  });
  const named = (['platform_max', 'task_type_max'] as const).flatMap((field) =>
    Object.entries(change[field] ?? {}).map(([name, max]): FlightChange => ({ field, name, before: before[field][name] ?? 0, after: max })),
  );
  return [...plain, ...named];
}

function namesOf(...maps: Record<string, number>[]): string[] {
  return [...new Set(maps.flatMap(Object.keys))];
}

/** Are these concurrency rules, as the audit log keeps them? */
export function isRules(value: unknown): value is Concurrency {
  const rules = value as Partial<Concurrency> | null | undefined;
  return typeof rules?.global_max === 'number' && typeof rules.platform_max === 'object';
}
