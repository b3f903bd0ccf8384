/** What the sale is, beside what can be done to it. */

import type { Sale } from '../api/types';
import { Moment } from '../parts/Moment';
import { Panel } from '../parts/Panel';
import { useTongue } from '../words';

export function SaleFacts({ sale }: { sale: Sale }) {
  const { words, format } = useTongue();
  const { form } = words;
  return (
    <Panel title={words.do.facts}>
      <dl className="pairs">
        <div>
          <dt>{form.opensAt}</dt>
          <dd><Moment at={sale.opensAt} /></dd>
        </div>
        <div>
          <dt>{form.closesAt}</dt>
          <dd><Moment at={sale.closesAt} /></dd>
        </div>
        <div>
          <dt>{form.limit}</dt>
          <dd>{format.number(sale.limitPerBuyer)}</dd>
        </div>
        <div>
          <dt>{words.do.timeToPay}</dt>
          <dd>{format.span(sale.paymentWindowSeconds)}</dd>
        </div>
        <div>
          <dt>{words.do.warmth}</dt>
          <dd>{sale.epoch > 0 ? words.common.yes : words.common.no}</dd>
        </div>
      </dl>
      <ul className="fact-items">
        {sale.items.map(({ id, title, price, stock }) => (
          <li key={id}>
            <span>
              {title} <small className="soft">{id}</small>
            </span>
            <span className="soft">
              {format.money(price.amount, price.currency)} · {words.common.units(stock, format.number(stock))}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
