/**
 * Holds the console's own types against those that are made from `docs/openapi.json`: a field that the server renames
 * or drops does not compile here. Types only; nothing of this file is in the build.
 */

import type { components } from '../../client/api';
import type * as our from './types';

type Told = components['schemas'];

/** Words that the console knows one by one are plain text in the description. */
type Loose<T> = T extends string
  ? string
  : T extends (infer Item)[]
    ? Loose<Item>[]
    : T extends object
      ? { [Field in keyof T]: Loose<T[Field]> }
      : T;

/** What the server tells has everything that we read. */
type Has<Theirs extends Loose<Ours>, Ours> = [Theirs, Ours];
/** What we send, the server takes. */
type Takes<Theirs, Ours extends Loose<Theirs>> = [Theirs, Ours];

export type Read = [
  Has<Told['OperatorSale'], our.Sale>,
  Has<Told['Ledger'], our.Ledger>,
  Has<Told['Reconciliation'], our.Reconciliation>,
  Has<Told['DeadLetter'], our.DeadLetter>,
  Has<Told['DeadLettersDone'], our.LettersDone>,
  Has<Told['AuditLog'], our.AuditLog>,
  // A rule that is told has its algorithm; the description calls it optional because a rule that is sent may leave it out.
  Has<Required<Told['LimitRule']>, our.Rule>,
  Has<Told['LimitsNow']['limits']['local'], our.Limits['local']>,
  Has<Omit<Told['LimitsNow'], 'limits' | 'default'>, Omit<our.LimitsNow, 'limits' | 'default'>>,
  Has<Told['Session'], our.Session>,
  Has<Told['ConcurrencyConfig'], our.Concurrency>,
  Has<Told['ConcurrencyUsage'], our.ConcurrencyUsage>,
];

export type Sent = [
  Takes<Told['NewSaleDraft'], our.NewSale>,
  Takes<Told['PatchDraft'], our.SalePatch>,
  Takes<Told['LimitsDraft'], our.LimitsDraft>,
  Takes<Told['ConcurrencyChange'], Partial<our.Concurrency>>,
];
