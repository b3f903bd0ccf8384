/** A panel that shows its chart, or the same numbers as a table. */

import { type ReactNode, useState } from 'react';
import { Button } from '../../ui';
import { Panel } from '../parts/Panel';
import { useTongue } from '../words';

interface Props {
  title: string;
  help?: string;
  className?: string;
  chart: ReactNode;
  table: () => ReactNode;
}

export function ChartPanel({ title, help, className, chart, table }: Props) {
  const { words } = useTongue();
  const [asTable, setAsTable] = useState(false);
  const other = asTable ? words.common.showChart : words.common.showTable;
  return (
    <Panel
      title={title}
      help={help}
      {...(className && { className })}
      actions={
        <Button weight="text" aria-label={`${title}: ${other}`} onClick={() => setAsTable(!asTable)}>
          {other}
        </Button>
      }
    >
      {asTable ? <div className="panel-table">{table()}</div> : chart}
    </Panel>
  );
}
