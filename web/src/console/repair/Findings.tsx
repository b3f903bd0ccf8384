/** What a comparison of the books found, unit by unit. */

import { Table } from '../../ui';
import type { Reconciliation } from '../api/types';
import { Notice } from '../parts/Notice';
import { href } from '../routes';
import { useTongue } from '../words';

export function Findings({ found }: { found: Reconciliation }) {
  const { words, format } = useTongue();
  const { repair } = words;
  return (
    <div className="stack">
      <h3>{repair.found}</h3>
      <p className="soft small">
        {repair.comparedAt(format.clock(found.at))} · {repair.counted(format.number(found.records), format.number(found.orders))}
      </p>
      {found.findings.length === 0 ? (
        <Notice kind="ok">{repair.nothingFound}</Notice>
      ) : (
        <Table
          caption={repair.found}
          hidden
          rows={found.findings}
          rowKey={(_, at) => at}
          columns={[
            { key: 'what', title: repair.what, heads: true, cell: ({ what }) => <span lang="en" className="wraps">{what}</span> },
            { key: 'item', title: words.live.item, cell: ({ item }) => item ?? words.common.none },
            { key: 'units', title: repair.units, number: true, cell: ({ units }) => format.number(units) },
            {
              key: 'job',
              title: repair.job,
              cell: ({ jobId }) => (jobId ? <a className="id" href={href({ at: 'find', text: jobId })}>{jobId}</a> : words.common.none),
            },
          ]}
        />
      )}
      {found.more > 0 && <p className="soft small">{repair.more(format.number(found.more))}</p>}
    </div>
  );
}
