/** Where the units of each item are, when a sale has several. */

import { Table } from '../../ui';
import type { LiveItem } from '../api/types';
import { Panel } from '../parts/Panel';
import { useTongue } from '../words';

export function Items({ items }: { items: LiveItem[] }) {
  const { words, format } = useTongue();
  const { live } = words;
  const number = (key: string, title: string, of: (item: LiveItem) => number) => ({
    key,
    title,
    number: true,
    cell: (item: LiveItem) => format.number(of(item)),
  });
  return (
    <Panel title={live.items} className="items">
      <Table
        caption={live.items}
        hidden
        rows={items}
        rowKey={({ id }) => id}
        columns={[
          { key: 'item', title: live.item, heads: true, cell: ({ title }) => title },
          number('stock', live.stock, ({ stock }) => stock),
          number('free', live.free, ({ free }) => free),
          number('queued', live.queued, ({ queued, unpublished }) => queued + unpublished),
          number('held', live.held, ({ held }) => held),
          number('paid', live.paid, ({ paid }) => paid),
          {
            key: 'soldOutAt',
            title: live.soldOutAt,
            number: true,
            cell: ({ soldOutAt }) => (soldOutAt ? format.clock(soldOutAt) : words.common.none),
          },
        ]}
      />
    </Panel>
  );
}
