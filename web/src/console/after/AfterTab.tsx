/** A sale on one page, to be read afterwards and printed. */

import { Button, Table } from '../../ui';
import { api } from '../api/calls';
import type { Report, Sale } from '../api/types';
import { refusals } from '../live/answers';
import { Bars } from '../parts/Bars';
import { Notice, ProblemNotice } from '../parts/Notice';
import { Panel } from '../parts/Panel';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';

const REFRESH_MS = 5_000;

export function AfterTab({ sale }: { sale: Sale }) {
  const { words } = useTongue();
  const { after } = words;
  const running = sale.phase !== 'ended';
  const { data: report, problem } = useLoad(`report ${sale.id}`, () => api.report(sale.id), running ? REFRESH_MS : undefined);
  return (
    <div className="stack report">
      {problem && <ProblemNotice problem={problem} />}
      {!report && !problem && <p className="soft">{words.common.loading}</p>}
      {running && report && <Notice kind="info">{after.running}</Notice>}
      {report && <Sheet report={report} />}
    </div>
  );
}

function Sheet({ report }: { report: Report }) {
  const { words, format } = useTongue();
  const { after } = words;
  const refused = Object.values(report.refused).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <div className="row spread">
        <p className="soft">{after.window(format.time(report.opensAt), format.time(report.closesAt))}</p>
        <Button className="no-print" onClick={() => window.print()}>{after.print}</Button>
      </div>
      <dl className="tiles">
        <Fact name={after.asked} value={report.asked} />
        <Fact name={after.accepted} value={report.accepted} />
        <Fact name={after.refusedTotal} value={refused} />
        <Fact name={after.repeated} value={report.repeated} />
        <Fact name={after.buyers} value={report.buyers} />
        <Fact name={after.sold} value={report.items.reduce((sum, { sold }) => sum + sold, 0)} />
        <Fact name={after.paid} value={report.items.reduce((sum, { paid }) => sum + paid, 0)} />
        <Fact name={after.returned} value={report.items.reduce((sum, { returned }) => sum + returned, 0)} />
      </dl>
      <ItemTable items={report.items} />
      <div className="halves">
        <Panel title={after.refusedBy}>
          {refused > 0 ? (
            <Bars
              caption={after.refusedBy}
              heads={[words.live.code, words.live.count, words.live.share]}
              total={refused}
              bars={refusals(report.refused).map(({ answer, count }) => ({ name: words.code[answer] ?? answer, kind: answer, count }))}
            />
          ) : (
            <p className="soft">{after.noRefusals}</p>
          )}
        </Panel>
        <div className="stack">
          <Panel title={after.moments}>
            <Moments report={report} />
          </Panel>
          <Panel title={after.orders}>
            <dl className="pairs">
              {(['expired', 'cancelled', 'rejected', 'refunded'] as const).map((what) => (
                <div key={what}>
                  <dt>{after[what]}</dt>
                  <dd className="digits">{format.number(report[what])}</dd>
                </div>
              ))}
            </dl>
          </Panel>
        </div>
      </div>
    </>
  );
}

function Fact({ name, value }: { name: string; value: number }) {
  const { format } = useTongue();
  return (
    <div className="tile">
      <dt>{name}</dt>
      <dd>
        <b className="digits">{format.number(value)}</b>
      </dd>
    </div>
  );
}

function Moments({ report }: { report: Report }) {
  const { words, format } = useTongue();
  const { after } = words;
  const { soldOutAt, slowestMinute, busiestSecond, ledgerDifference, opensAt } = report;
  const units = Math.abs(ledgerDifference ?? 0);
  return (
    <dl className="pairs">
      <div>
        <dt>{after.soldOutAt}</dt>
        <dd>
          {soldOutAt
            ? `${format.clock(soldOutAt)} · ${after.soldOutAfter(format.span((Date.parse(soldOutAt) - Date.parse(opensAt)) / 1_000))}`
            : after.neverSoldOut}
        </dd>
      </div>
      <div>
        <dt>{after.busiest}</dt>
        <dd>{busiestSecond ? `${format.clock(busiestSecond.at)} · ${after.busiestDetail(format.number(busiestSecond.asked))}` : after.notYet}</dd>
      </div>
      <div>
        <dt>{after.slowest}</dt>
        <dd>
          {slowestMinute
            ? `${format.clock(slowestMinute.at)} · ${after.slowestDetail(format.ms(slowestMinute.p99Ms), format.number(slowestMinute.asked))}`
            : after.notYet}
        </dd>
      </div>
      <div>
        <dt>{after.books}</dt>
        <dd className={ledgerDifference ? 'bad' : undefined}>
          {ledgerDifference == null
            ? after.booksUnknown
            : ledgerDifference === 0
              ? after.booksOk
              : after.booksOff(words.common.units(units, format.number(units)))}
        </dd>
      </div>
    </dl>
  );
}

function ItemTable({ items }: { items: Report['items'] }) {
  const { words, format } = useTongue();
  const { after } = words;
  type Item = Report['items'][number];
  const number = (key: 'stock' | 'sold' | 'paid' | 'unpaid' | 'returned', title: string) => ({
    key,
    title,
    number: true,
    cell: (item: Item) => format.number(item[key]),
  });
  return (
    <Table
      caption={words.live.items}
      hidden
      rows={items}
      rowKey={({ id }) => id}
      columns={[
        { key: 'item', title: words.live.item, heads: true, cell: ({ title }) => title },
        number('stock', after.stock),
        number('sold', after.sold),
        number('paid', after.paid),
        number('unpaid', after.unpaid),
        number('returned', after.returned),
        { key: 'revenue', title: after.revenue, number: true, cell: ({ revenue }) => format.money(revenue.amount, revenue.currency) },
      ]}
    />
  );
}
