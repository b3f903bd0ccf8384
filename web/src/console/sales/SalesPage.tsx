/** Every sale: what it is, when it is, how it stands. */

import { ButtonLink } from '../../ui';
import { api } from '../api/calls';
import type { Sale } from '../api/types';
import { Moment } from '../parts/Moment';
import { ProblemNotice } from '../parts/Notice';
import { PhaseBadge } from '../parts/PhaseBadge';
import { href } from '../routes';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';

const REFRESH_MS = 5_000;

export function SalesPage() {
  const { words } = useTongue();
  const { data: sales, problem } = useLoad('sales', api.sales, REFRESH_MS);
  return (
    <div className="page stack">
      <div className="row spread">
        <h1>{words.sales.title}</h1>
        <ButtonLink weight="primary" href={href({ at: 'new-sale' })}>
          {words.sales.create}
        </ButtonLink>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {!sales && !problem && <p className="soft">{words.common.loading}</p>}
      {sales?.length === 0 && <p className="panel">{words.sales.none}</p>}
      {sales && sales.length > 0 && (
        <ul className="sale-list panel">
          {sales.map((sale) => (
            <Line key={sale.id} sale={sale} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Line({ sale }: { sale: Sale }) {
  const { words, format } = useTongue();
  const units = sale.items.reduce((sum, item) => sum + item.stock, 0);
  return (
    <li>
      <div className="sale-name">
        <a href={href({ at: 'sale', sale: sale.id, tab: landing(sale) })}>{sale.title}</a>
        <span className="soft small">{sale.id}</span>
      </div>
      <div>
        <PhaseBadge phase={sale.phase} />
      </div>
      <div>
        <span className="label">{words.sales.opens}</span> <Moment at={sale.opensAt} />
      </div>
      <div>
        <span className="label">{words.sales.closes}</span> <Moment at={sale.closesAt} />
      </div>
      <div className="sale-size">
        <span className="digits">{words.common.units(units, format.number(units))}</span>
        <span className="soft small">
          {words.sales.itemCount(sale.items.length)} · {sale.epoch > 0 ? words.sales.warm : words.sales.notWarm}
        </span>
      </div>
    </li>
  );
}

/** The page of a sale that an operator most likely wants: before, during, after. */
function landing(sale: Sale) {
  if (sale.phase === 'ended') return 'after';
  return sale.epoch === 0 ? 'do' : 'live';
}
