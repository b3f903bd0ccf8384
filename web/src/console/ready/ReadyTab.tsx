/** Ready to open? Every check, and what to do about those that are not in order. */

import { useState } from 'react';
import { Button, Table } from '../../ui';
import { api } from '../api/calls';
import type { Check, DryRun, Sale } from '../api/types';
import { ActionDialog } from '../parts/ActionDialog';
import { Icon } from '../parts/Icon';
import { Told } from '../parts/Told';
import { Notice, ProblemNotice } from '../parts/Notice';
import { Panel } from '../parts/Panel';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';

export function ReadyTab({ sale }: { sale: Sale }) {
  const { words, format } = useTongue();
  const { ready } = words;
  const { data, problem, loading, reload } = useLoad(`readiness ${sale.id}`, () => api.readiness(sale.id));
  const [asking, setAsking] = useState<'dry-run' | 'compare'>();
  const [dryRun, setDryRun] = useState<DryRun>();

  const finish = () => {
    setAsking(undefined);
    reload();
  };
  const open = data?.checks.filter(({ ok }) => !ok).length ?? 0;
  return (
    <div className="stack">
      {problem && <ProblemNotice problem={problem} />}
      {!data && !problem && <p className="soft">{words.common.loading}</p>}
      {data && <Notice kind={data.ready ? 'ok' : 'warn'}><strong>{data.ready ? ready.yes : ready.no(open)}</strong></Notice>}
      <Panel
        title={ready.title}
        help={data && ready.checkedAt(format.clock(data.checkedAt))}
        actions={
          <>
            <Button onClick={() => setAsking('dry-run')}>{ready.dryRun}</Button>
            <Button onClick={() => setAsking('compare')} disabled={sale.epoch === 0}>{ready.compare}</Button>
            <Button onClick={reload} aria-disabled={loading}>{loading ? words.common.working : ready.again}</Button>
          </>
        }
      >
        {data && (
          <ul className="checks">
            {data.checks.map((check) => (
              <Line key={check.name} check={check} />
            ))}
          </ul>
        )}
      </Panel>
      {dryRun && <DryRunResult result={dryRun} />}
      {asking === 'dry-run' && (
        <ActionDialog
          {...words.do.dryRun}
          run={async (reason) => {
            setDryRun(await api.dryRun(sale.id, reason));
            finish();
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
      {asking === 'compare' && (
        <ActionDialog
          {...words.do.compare}
          run={async (reason) => {
            await api.reconcile(sale.id, false, reason);
            finish();
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
    </div>
  );
}

function Line({ check }: { check: Check }) {
  const { words } = useTongue();
  const { ready } = words;
  const known = ready.checks[check.name];
  return (
    <li className={check.ok ? 'ok' : 'bad'}>
      <Icon name={check.ok ? 'ok' : 'bad'} />
      <div>
        <strong>{known?.name ?? check.name}</strong> <span className="state">{check.ok ? ready.ok : ready.notOk}</span>
        <div className="soft small">{known?.means}</div>
      </div>
      <div>
        <span lang="en">{check.detail}</span>
        {check.todo && (
          <div className="todo">
            <strong>{ready.todo}</strong> <Told says={ready.advice(check.name, check.todo)} told={check.todo} />
          </div>
        )}
      </div>
    </li>
  );
}

function DryRunResult({ result }: { result: DryRun }) {
  const { words, format } = useTongue();
  const { ready } = words;
  return (
    <div className="stack">
      <Notice kind={result.ok ? 'ok' : 'bad'}>{result.ok ? ready.dryRunOk(format.ms(result.ms)) : ready.dryRunFailed}</Notice>
      <Table
        caption={ready.checks['dry-run']?.name ?? ''}
        rows={result.steps}
        rowKey={({ name }) => name}
        columns={[
          { key: 'step', title: ready.step, heads: true, cell: ({ name }) => ready.dryRunSteps[name] ?? name },
          {
            key: 'ok',
            title: ready.ok,
            cell: ({ ok, detail }) => (
              <span className={ok ? 'good' : 'bad'}>
                {ok ? words.common.yes : words.common.no}
                {detail && <span lang="en"> · {detail}</span>}
              </span>
            ),
          },
          { key: 'ms', title: ready.took, number: true, cell: ({ ms }) => format.ms(ms) },
        ]}
      />
    </div>
  );
}
