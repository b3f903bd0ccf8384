/** The last changes of limits, from the audit log, each with its way back. */

import { Button } from '../../ui';
import type { AuditEntry, Concurrency, Limits, LimitsNow } from '../api/types';
import { Moment } from '../parts/Moment';
import { type Difference, OldNew } from '../parts/OldNew';
import { Panel } from '../parts/Panel';
import { useTongue } from '../words';
import * as flight from './flight';
import * as rates from './rates';
import { spokenFlight, spokenRate } from './spoken';

interface Props {
  entries: AuditEntry[];
  limits: LimitsNow;
  rules: Concurrency;
  onRevertLimits: (to: Limits) => void;
  onRevertRules: (to: Concurrency) => void;
}

/** Changes shown; the audit log has all of them. */
const SHOWN = 8;

export function RecentChanges({ entries, limits, rules, onRevertLimits, onRevertRules }: Props) {
  const { words, format } = useTongue();
  const lines = entries.flatMap((entry): { entry: AuditEntry; changes: Difference[]; revert?: () => void }[] => {
    if (entry.action === 'set-limits' && rates.isLimits(entry.after)) {
      // Before the first change the configuration held.
      const before = rates.isLimits(entry.before) ? entry.before : limits.default;
      const changes = rates.differences(before, entry.after).map((change) => spokenRate(change, words, format));
      const same = rates.differences(limits.limits, before).length === 0;
      return [{ entry, changes, ...(!same && { revert: () => onRevertLimits(before) }) }];
    }
    if (entry.action === 'set-concurrency' && flight.isRules(entry.after)) {
      const before = flight.isRules(entry.before) ? entry.before : undefined;
      if (!before) return [{ entry, changes: [] }];
      const changes = flight.differences(before, entry.after).map((change) => spokenFlight(change, words, format));
      const same = flight.differences(rules, before).length === 0;
      return [{ entry, changes, ...(!same && { revert: () => onRevertRules(before) }) }];
    }
    return [];
  });
  return (
    <Panel title={words.limits.recent}>
      {lines.length === 0 && <p className="soft">{words.limits.noRecent}</p>}
      <ul className="recent">
        {lines.slice(0, SHOWN).map(({ entry, changes, revert }) => (
          <li key={entry.id}>
            <div>
              <Moment at={entry.at} utc={false} />
              <p>{entry.reason || <span className="soft">{words.audit.noReason}</span>}</p>
            </div>
            {changes.length > 0 ? (
              <OldNew caption={`${words.audit.actions[entry.action] ?? entry.action}, ${format.time(entry.at)} (${entry.id})`} differences={changes} />
            ) : (
              <p className="soft">{words.audit.actions[entry.action] ?? entry.action}</p>
            )}
            {revert ? <Button onClick={revert}>{words.limits.revert}</Button> : <span className="soft small">{changes.length > 0 && words.limits.sameAsNow}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
