/** Old beside new, for every change that is about to be made or was made. */

import { Table } from '../../ui';
import { useTongue } from '../words';

export interface Difference {
  what: string;
  before: string;
  after: string;
}

export function OldNew({ caption, differences }: { caption: string; differences: Difference[] }) {
  const { words } = useTongue();
  return (
    <Table
      caption={caption}
      hidden
      rows={differences}
      rowKey={({ what }) => what}
      columns={[
        { key: 'what', title: words.do.save.field, heads: true, cell: ({ what }) => what },
        { key: 'before', title: words.limits.oldValue, cell: ({ before }) => <span className="old">{before}</span> },
        { key: 'after', title: words.limits.newValue, cell: ({ after }) => <strong>{after}</strong> },
      ]}
    />
  );
}
