/** Where every unit is, what explains a difference, and how it is repaired; letters, stories and orders of the sale. */

import type { Sale } from '../api/types';
import { Finder } from '../find/Finder';
import { Letters } from '../letters/Letters';
import { Notice } from '../parts/Notice';
import { Panel } from '../parts/Panel';
import { useTongue } from '../words';
import { LedgerPanel } from './LedgerPanel';
import { OrdersPanel } from './OrdersPanel';

export function RepairTab({ sale }: { sale: Sale }) {
  const { words } = useTongue();
  const { repair } = words;
  return (
    <div className="stack">
      {sale.epoch > 0 ? <LedgerPanel sale={sale} /> : <Notice kind="info">{repair.notWarm}</Notice>}
      <Panel title={repair.letters}>
        <Letters sale={sale.id} />
      </Panel>
      <Panel title={repair.story}>
        <Finder text="" />
      </Panel>
      <OrdersPanel sale={sale.id} />
    </div>
  );
}
