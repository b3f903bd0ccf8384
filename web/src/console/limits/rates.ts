/** Rate limits in a form: what is typed, what is wrong with it, and what a change of them is. */

import type { Limits, LimitsDraft, LocalName, Rate, Rule } from '../api/types';
import { whole } from '../sales/draft';

export const LOCALS: LocalName[] = ['perIp', 'tokenPerBuyer', 'orderPerBuyer', 'status'];
export const ACTIONS: Rule['action'][] = ['token', 'order', 'status', 'any'];
export const SUBJECTS: Rule['subject'][] = ['ip', 'buyer', 'sale', 'channel'];
export const ALGORITHMS: Rule['algorithm'][] = ['sliding-window', 'gcra'];

export interface RateEdit {
  enabled: boolean;
  perSecond: string;
  burst: string;
}

export interface RuleEdit extends Omit<Rule, 'limit' | 'windowSeconds'> {
  /** Tells rows apart while their names are being typed. */
  key: number;
  /** It is obeyed already: its name stays. */
  known: boolean;
  limit: string;
  windowSeconds: string;
}

export interface LimitsEdit {
  local: Record<LocalName, RateEdit>;
  shared: RuleEdit[];
}

export type Wrong = 'rate' | 'name' | 'twice' | 'exact' | 'spacing' | 'window';

const RATE_MAX = 1_000_000;
const EXACT_MAX = 10_000;
const SPACING_RATE_MAX = 100_000;
const WINDOW_MAX_S = 86_400;
const NAME = /^[a-z0-9-]{1,32}$/;

export function editOf({ local, shared }: Limits): LimitsEdit {
  const rate = ({ enabled, perSecond, burst }: Rate): RateEdit => ({ enabled, perSecond: String(perSecond), burst: String(burst) });
  const { perIp, tokenPerBuyer, orderPerBuyer, status } = local;
  return {
    local: { perIp: rate(perIp), tokenPerBuyer: rate(tokenPerBuyer), orderPerBuyer: rate(orderPerBuyer), status: rate(status) },
    shared: shared.map((rule, key) => ({
      ...rule,
      key,
      known: true,
      limit: String(rule.limit),
      windowSeconds: String(rule.windowSeconds),
    })),
  };
}

export function newRule(rules: RuleEdit[]): RuleEdit {
  const key = Math.max(-1, ...rules.map((rule) => rule.key)) + 1;
  return { key, known: false, name: '', action: 'order', subject: 'sale', algorithm: 'gcra', limit: '', windowSeconds: '1' };
}

/** By field: `local.perIp.burst`, `shared[0].name`. */
export function check({ local, shared }: LimitsEdit): Record<string, Wrong> {
  const errors: Record<string, Wrong> = {};
  for (const name of LOCALS) {
    for (const field of ['perSecond', 'burst'] as const) {
      if (whole(local[name][field], 1, RATE_MAX) === undefined) errors[`local.${name}.${field}`] = 'rate';
    }
  }
  shared.forEach((rule, at) => {
    const field = (name: string) => `shared[${at}].${name}`;
    if (!NAME.test(rule.name)) errors[field('name')] = 'name';
    else if (shared.slice(0, at).some(({ name }) => name === rule.name)) errors[field('name')] = 'twice';
    const seconds = whole(rule.windowSeconds, 1, WINDOW_MAX_S);
    if (seconds === undefined) errors[field('windowSeconds')] = 'window';
    const exact = rule.algorithm === 'sliding-window';
    const most = exact ? EXACT_MAX : SPACING_RATE_MAX * (seconds ?? 1);
    if (whole(rule.limit, 1, most) === undefined) errors[field('limit')] = exact ? 'exact' : 'spacing';
  });
  return errors;
}

/** The limits that a flawless edit describes. */
export function limitsOf({ local, shared }: LimitsEdit): Limits {
  const rate = ({ enabled, perSecond, burst }: RateEdit): Rate => ({ enabled, perSecond: Number(perSecond), burst: Number(burst) });
  const { perIp, tokenPerBuyer, orderPerBuyer, status } = local;
  return {
    local: { perIp: rate(perIp), tokenPerBuyer: rate(tokenPerBuyer), orderPerBuyer: rate(orderPerBuyer), status: rate(status) },
    shared: shared.map(({ key: _, known: __, limit, windowSeconds, ...rule }) => ({
      ...rule,
      limit: Number(limit),
      windowSeconds: Number(windowSeconds),
    })),
  };
}

/** What has to be sent so that `before` becomes `after`: only what differs. */
export function draftOf(before: Limits, after: Limits): LimitsDraft {
  const draft: LimitsDraft = {};
  for (const name of LOCALS) {
    const [old, wanted] = [before.local[name], after.local[name]];
    const changed: Partial<Rate> = {};
    if (old.enabled !== wanted.enabled) changed.enabled = wanted.enabled;
    if (old.perSecond !== wanted.perSecond) changed.perSecond = wanted.perSecond;
    if (old.burst !== wanted.burst) changed.burst = wanted.burst;
    if (Object.keys(changed).length > 0) draft.local = { ...draft.local, [name]: changed };
  }
  const named = (rules: Rule[], name: string) => rules.find((rule) => rule.name === name);
  const shared = after.shared.filter((rule) => ruleText(named(before.shared, rule.name)) !== ruleText(rule));
  const remove = before.shared.map(({ name }) => name).filter((name) => !named(after.shared, name));
  if (shared.length > 0) draft.shared = shared;
  if (remove.length > 0) draft.remove = remove;
  return draft;
}

/** One field that differs. `undefined`: the rule is not there. */
export type LimitChange =
  | { of: 'local'; name: LocalName; field: keyof Rate; before: number | boolean; after: number | boolean }
  | { of: 'shared'; name: string; before: Rule | undefined; after: Rule | undefined };

export function differences(before: Limits, after: Limits): LimitChange[] {
  const local = LOCALS.flatMap((name) =>
    (['enabled', 'perSecond', 'burst'] as const)
      .filter((field) => before.local[name][field] !== after.local[name][field])
      .map((field): LimitChange => ({ of: 'local', name, field, before: before.local[name][field], after: after.local[name][field] })),
  );
  const names = [...new Set([...before.shared, ...after.shared].map(({ name }) => name))];
  const shared = names.flatMap((name): LimitChange[] => {
    const [old, wanted] = [before, after].map(({ shared }) => shared.find((rule) => rule.name === name));
    return ruleText(old) === ruleText(wanted) ? [] : [{ of: 'shared', name, before: old, after: wanted }];
  });
  return [...local, ...shared];
}

function ruleText(rule: Rule | undefined): string {
  return rule ? [rule.action, rule.subject, rule.algorithm, rule.limit, rule.windowSeconds].join(' ') : '';
}

/** Is this a document of limits, as the audit log keeps them? */
export function isLimits(value: unknown): value is Limits {
  const limits = value as Partial<Limits> | null | undefined;
  return Array.isArray(limits?.shared) && LOCALS.every((name) => typeof limits.local?.[name]?.burst === 'number');
}
