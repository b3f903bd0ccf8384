/** Changes of limits in the operator's language. */

import type { Rule } from '../api/types';
import type { Format } from '../format';
import type { Difference } from '../parts/OldNew';
import type { Words } from '../words/en';
import type { FlightChange } from './flight';
import type { LimitChange } from './rates';

export function spokenRate(change: LimitChange, { limits, common }: Words, format: Format): Difference {
  if (change.of === 'shared') {
    const rule = (one: Rule | undefined) => (one ? spokenRule(one, limits, format) : limits.absent);
    return { what: change.name, before: rule(change.before), after: rule(change.after) };
  }
  const value = (of: number | boolean) => (typeof of === 'number' ? format.number(of) : of ? common.on : common.off);
  const what = `${limits.local[change.name].name}: ${limits.field[change.field] ?? change.field}`;
  return { what, before: value(change.before), after: value(change.after) };
}

export function spokenRule(rule: Rule, limits: Words['limits'], format: Format): string {
  const { actions, subjects, algorithms } = limits;
  return limits.rule(
    format.number(rule.limit),
    actions[rule.action] ?? rule.action,
    format.span(rule.windowSeconds),
    subjects[rule.subject] ?? rule.subject,
    algorithms[rule.algorithm] ?? rule.algorithm,
  );
}

export function spokenFlight({ field, name, before, after }: FlightChange, { limits, common }: Words, format: Format): Difference {
  const value = (of: number | boolean) => {
    if (typeof of === 'boolean') return of ? common.on : common.off;
    if (field === 'timeout') return format.span(of);
    return of === 0 ? limits.unlimited : format.number(of);
  };
  const names: Record<FlightChange['field'], string> = {
    enabled: limits.flightEnabled,
    global_max: limits.global,
    account_max: limits.account,
    timeout: limits.timeout,
    platform_max: `${limits.channel} ${name}`,
    task_type_max: limits.taskNames[name ?? ''] ?? name ?? '',
  };
  return { what: names[field], before: value(before), after: value(after) };
}
