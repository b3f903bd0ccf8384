/** The hand on the tap: what one caller may ask, what all may ask together, and what may be under way at once. */

import { useState } from 'react';
import { Button } from '../../ui';
import { api } from '../api/calls';
import { ActionDialog } from '../parts/ActionDialog';
import { Notice, ProblemNotice } from '../parts/Notice';
import { OldNew } from '../parts/OldNew';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';
import { FlightPanel } from './FlightPanel';
import type { Pending } from './pending';
import { RatesPanel } from './RatesPanel';
import { RecentChanges } from './RecentChanges';
import { useChanges } from './useChanges';
import { useGateways } from './useGateways';

const USAGE_EVERY_MS = 2_000;

export function LimitsPage() {
  const { words, format } = useTongue();
  const [pending, setPending] = useState<Pending>();
  const [applied, setApplied] = useState<Pending>();
  const [turn, setTurn] = useState(0);
  const limits = useLoad('limits', api.limits);
  const rules = useLoad('concurrency', api.concurrency);
  const usage = useLoad('usage', api.usage, USAGE_EVERY_MS);
  const audit = useLoad('changes', () => api.audit(''));
  const gateways = useGateways(turn);
  const { changeLimits, changeRules } = useChanges(limits.data, rules.data);

  const reload = () => {
    for (const loaded of [limits, rules, usage, audit]) loaded.reload();
    setTurn((n) => n + 1);
  };
  const problem = limits.problem ?? rules.problem ?? usage.problem ?? audit.problem;
  const who = gateways ? words.limits.obeying(format.list(gateways)) : words.limits.whoUnknown;
  return (
    <div className="page narrow stack">
      <h1>{words.limits.title}</h1>
      {problem && <ProblemNotice problem={problem} />}
      {applied && (
        <Notice kind="ok">
          <strong>{words.limits.applied}.</strong> {applied.obey} {gateways && who}
          <OldNew caption={words.limits.applied} differences={applied.differences} />
          <Button onClick={() => setPending(applied.revert())}>{words.limits.revert}</Button>
        </Notice>
      )}
      {limits.data && (
        <RatesPanel key={`limits ${limits.data.version}`} now={limits.data} onReview={(after) => setPending(changeLimits(after))} />
      )}
      {rules.data && (
        <FlightPanel
          key={`rules ${JSON.stringify(rules.data)}`}
          rules={rules.data}
          usage={usage.data}
          onReview={(after) => setPending(changeRules(after))}
        />
      )}
      {audit.data && limits.data && rules.data && (
        <RecentChanges
          entries={audit.data.entries}
          limits={limits.data}
          rules={rules.data}
          onRevertLimits={(to) => setPending(changeLimits(to, words.limits.revertTitle))}
          onRevertRules={(to) => setPending(changeRules(to, words.limits.revertTitle))}
        />
      )}
      {pending && (
        <ActionDialog
          title={pending.title}
          what={
            <>
              <p>{pending.obey}</p>
              <p className="soft">{who}</p>
            </>
          }
          confirm={words.limits.confirm}
          run={async (reason) => {
            await pending.run(reason);
            setPending(undefined);
            setApplied(pending);
            reload();
          }}
          onClose={() => setPending(undefined)}
        >
          <OldNew caption={pending.title} differences={pending.differences} />
        </ActionDialog>
      )}
    </div>
  );
}
