/** The orders of a sale, page by page, or all of them as a file. */

import { useState } from 'react';
import { Button, Field, Table } from '../../ui';
import { api } from '../api/calls';
import type { Problem } from '../api/http';
import type { OrderLine } from '../api/types';
import { ProblemNotice } from '../parts/Notice';
import { Panel } from '../parts/Panel';
import { href } from '../routes';
import { asProblem, useLoad } from '../useLoad';
import { useTongue } from '../words';

const STATES = ['pending_payment', 'paid', 'expired', 'cancelled', 'rejected'];

export function OrdersPanel({ sale }: { sale: string }) {
  const { words } = useTongue();
  const { repair } = words;
  const [status, setStatus] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const download = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      save(await api.allOrders(sale, status), `orders-${sale}.ndjson`);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel
      title={repair.orders}
      className="orders"
      actions={
        <Button onClick={download} disabled={busy} title={repair.downloadHelp}>
          {busy ? words.common.working : repair.download}
        </Button>
      }
    >
      <div className="filter">
        <Field label={repair.status}>
          <select value={status} onChange={(event) => setStatus(event.target.value)}>
            <option value="">{words.common.all}</option>
            {STATES.map((state) => (
              <option key={state} value={state}>{words.order[state]}</option>
            ))}
          </select>
        </Field>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      <Pages key={status} sale={sale} status={status} />
    </Panel>
  );
}

function Pages({ sale, status }: { sale: string; status: string }) {
  const { words, format } = useTongue();
  const { repair } = words;
  const first = useLoad(`orders ${sale} ${status}`, () => api.orders(sale, status));
  const [more, setMore] = useState<{ orders: OrderLine[]; next: string | undefined }>();
  const [problem, setProblem] = useState<Problem>();
  const orders = [...(first.data?.orders ?? []), ...(more?.orders ?? [])];
  const next = more ? more.next : (first.data?.nextCursor ?? undefined);
  const wrong = first.problem ?? problem;
  const older = async () => {
    try {
      const page = await api.orders(sale, status, next);
      setMore((old) => ({ orders: [...(old?.orders ?? []), ...page.orders], next: page.nextCursor ?? undefined }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  if (wrong) return <ProblemNotice problem={wrong} />;
  if (!first.data) return <p className="soft">{words.common.loading}</p>;
  if (orders.length === 0) return <p>{repair.noOrders}</p>;
  return (
    <>
      <Table
        caption={repair.orders}
        hidden
        rows={orders}
        rowKey={({ id }) => id}
        columns={[
          { key: 'order', title: repair.order, heads: true, cell: ({ id }) => <a className="id" href={href({ at: 'find', text: id })}>{id}</a> },
          {
            key: 'status',
            title: repair.status,
            cell: ({ status: state, reason }) => `${words.order[state] ?? state}${reason ? ` · ${words.code[reason] ?? reason}` : ''}`,
          },
          { key: 'item', title: words.live.item, cell: ({ item }) => item ?? words.common.none },
          { key: 'units', title: repair.units, number: true, cell: ({ quantity }) => format.number(quantity) },
          {
            key: 'buyer',
            title: repair.buyer,
            cell: ({ buyer }) => (buyer ? <a href={href({ at: 'find', text: buyer })}>{buyer}</a> : words.common.none),
          },
          { key: 'at', title: repair.placedAt, cell: ({ createdAt }) => <time dateTime={createdAt}>{format.time(createdAt)}</time> },
        ]}
      />
      {next !== undefined && (
        <div>
          <Button onClick={older}>{repair.older}</Button>
        </div>
      )}
    </>
  );
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
