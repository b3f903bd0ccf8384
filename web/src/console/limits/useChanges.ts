/** Makes changes of limits out of what is wanted, each with its way back. */

import { api } from '../api/calls';
import type { Concurrency, Limits, LimitsNow } from '../api/types';
import { useTongue } from '../words';
import * as flight from './flight';
import type { Pending } from './pending';
import * as rates from './rates';
import { spokenFlight, spokenRate } from './spoken';

export function useChanges(now: LimitsNow | undefined, rules: Concurrency | undefined) {
  const { words, format } = useTongue();
  const { limits } = words;

  const ofLimits = (before: Limits, after: Limits, title: string): Pending => ({
    title,
    differences: rates.differences(before, after).map((change) => spokenRate(change, words, format)),
    obey: limits.obeyLimits,
    run: async (reason) => void (await api.changeLimits(rates.draftOf(before, after), reason)),
    revert: () => ofLimits(after, before, limits.revertTitle),
  });
  const ofRules = (before: Concurrency, after: Concurrency, title: string): Pending => ({
    title,
    differences: flight.differences(before, after).map((change) => spokenFlight(change, words, format)),
    obey: limits.obeyFlight,
    run: async (reason) => void (await api.changeConcurrency(flight.changeOf(before, after), reason)),
    revert: () => ofRules(after, before, limits.revertTitle),
  });
  return {
    changeLimits: (after: Limits, title: string = limits.dialogTitle) => now && ofLimits(now.limits, after, title),
    changeRules: (after: Concurrency, title: string = limits.dialogTitle) => rules && ofRules(rules, after, title),
  };
}
