/** The ledger of a sale, its difference in words, and the way to repair it. */

import { useState } from 'react';
import { Button, Table } from '../../ui';
import { api } from '../api/calls';
import type { LedgerLine, Reconciliation, Sale } from '../api/types';
import { ActionDialog } from '../parts/ActionDialog';
import { Notice, ProblemNotice } from '../parts/Notice';
import { Panel } from '../parts/Panel';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';
import { Findings } from './Findings';

const REFRESH_MS = 3_000;

export function LedgerPanel({ sale }: { sale: Sale }) {
  const { words, format } = useTongue();
  const { repair } = words;
  const { data: ledger, problem, reload } = useLoad(`ledger ${sale.id}`, () => api.ledger(sale.id), REFRESH_MS);
  const [asking, setAsking] = useState<'compare' | 'repair'>();
  const [found, setFound] = useState<Reconciliation>();
  const [repaired, setRepaired] = useState<Reconciliation>();
  const off = ledger?.items.filter(({ difference }) => difference !== 0) ?? [];
  const offered = off.length > 0 || (found !== undefined && !found.balanced);
  return (
    <Panel
      title={repair.ledger}
      help={ledger && words.common.readAt(format.clock(ledger.at))}
      actions={
        <>
          <Button onClick={() => setAsking('compare')}>{repair.compare}</Button>
          {offered && <Button weight="danger" onClick={() => setAsking('repair')}>{repair.repair}</Button>}
        </>
      }
    >
      {problem && <ProblemNotice problem={problem} />}
      {repaired && (
        <Notice kind="ok">
          {repaired.repairedInEpoch == null ? repair.notNeeded : repair.repaired(format.number(repaired.repairedInEpoch))}
        </Notice>
      )}
      {ledger && (
        <>
          <LedgerTable lines={ledger.items} sale={sale} />
          <p className="soft small">{repair.ledgerHelp}</p>
          {off.length === 0 ? (
            <Notice kind="ok">{repair.balanced}</Notice>
          ) : (
            <Notice kind="warn">
              {off.map(({ id, difference }) => {
                const units = words.common.units(Math.abs(difference), format.number(Math.abs(difference)));
                return (
                  <p key={id}>
                    <strong>{id}</strong>: {difference > 0 ? repair.missing(units) : repair.surplus(units)}
                  </p>
                );
              })}
              <p>{repair.settling}</p>
            </Notice>
          )}
        </>
      )}
      {found && <Findings found={found} />}
      {asking === 'compare' && (
        <ActionDialog
          {...words.do.compare}
          run={async (reason) => {
            setFound(await api.reconcile(sale.id, false, reason));
            setRepaired(undefined);
            setAsking(undefined);
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
      {asking === 'repair' && (
        <ActionDialog
          title={repair.repairTitle}
          what={repair.repairWhat}
          confirm={repair.repairConfirm}
          twice={{ type: sale.id }}
          run={async (reason) => {
            const result = await api.reconcile(sale.id, true, reason);
            setFound(result);
            setRepaired(result);
            setAsking(undefined);
            reload();
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
    </Panel>
  );
}

function LedgerTable({ lines, sale }: { lines: LedgerLine[]; sale: Sale }) {
  const { words, format } = useTongue();
  const { live, repair } = words;
  const number = (key: Exclude<keyof LedgerLine, 'id'>, title: string) => ({
    key,
    title,
    number: true,
    cell: (line: LedgerLine) => format.number(line[key]),
  });
  return (
    <Table
      caption={repair.ledger}
      hidden
      rows={lines}
      rowKey={({ id }) => id}
      columns={[
        { key: 'id', title: live.item, heads: true, cell: ({ id }) => sale.items.find((item) => item.id === id)?.title ?? id },
        number('stock', live.stock),
        number('free', live.free),
        number('unpublished', repair.unpublished),
        number('queued', live.queued),
        number('held', live.held),
        number('paid', live.paid),
        {
          key: 'difference',
          title: live.difference,
          number: true,
          cell: ({ difference }) => <strong className={difference === 0 ? 'good' : 'bad'}>{format.number(difference)}</strong>,
        },
      ]}
    />
  );
}
