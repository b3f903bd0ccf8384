import { useEffect, useState } from 'react';
import { moment, money } from '../../i18n';
import { clock, useNow } from '../data/clock';
import { prepare, purchaseOf, useBuying } from '../data/purchases';
import { readSale, type Item, type Sale } from '../data/shop';
import { useWatched } from '../data/watch';
import { Heading } from '../parts/Heading';
import { PhaseChip } from '../parts/PhaseChip';
import { Picture } from '../parts/Picture';
import { Stock } from '../parts/Stock';
import { Stale, Trouble } from '../parts/Trouble';
import { toSales } from '../routes';
import { useSay } from '../words';
import { BuyPanel } from './BuyPanel';
import { isGone, phaseAt } from './phase';
import { Loading } from './SalesPage';

/** Between looks at a sale. The shop's answer is good for a second, so a crowd of pages costs it little. */
const EVERY_MS = 2_000;
/** A sale read this long after a refusal knows of it. */
const NEWER_MS = 2_500;

/** One sale: what it sells, and the way to an order. */
export function SalePage({ id }: { id: string }) {
  const say = useSay();
  const { body: sale, at, problem, look } = useWatched(`sale ${id}`, readSale(id), () => EVERY_MS);
  useEffect(() => { if (sale) prepare(sale); }, [sale]);
  return (
    <>
      <a className="back" href={toSales}>{say('back')}</a>
      {sale ? <><Stale problem={problem} /><Open sale={sale} readAt={at ?? 0} /></>
        : problem ? <Trouble problem={problem} onAgain={look} /> : <Loading />}
    </>
  );
}

function Open({ sale, readAt }: { sale: Sale; readAt: number }) {
  const say = useSay();
  const [opensAt, closesAt] = [Date.parse(sale.opensAt), Date.parse(sale.closesAt)];
  const now = useNow(opensAt, closesAt);
  const phase = phaseAt(sale, now);
  const purchase = purchaseOf(sale.id);
  const buying = useBuying(purchase);
  // Whoever comes back later is not told of what was then; only what is still unknown stays.
  useEffect(() => () => {
    if (purchase.state.at === 'placed' || (purchase.state.at === 'refused' && purchase.state.next !== 'ask')) purchase.reset();
  }, [purchase]);
  const [changedAt, setChangedAt] = useState(0);
  useEffect(() => setChangedAt(clock.now()), [buying]);

  const [wish, setWish] = useState<{ item?: string; quantity: number }>({ quantity: 1 });
  const item = sale.items.find((one) => one.id === wish.item) ?? sale.items.find((one) => !isGone(one)) ?? sale.items[0];
  if (!item) return null;
  const quantity = Math.min(wish.quantity, sale.limitPerBuyer);

  return (
    <div className="sale">
      <div className="frame"><Picture of={item.id} /></div>
      <div className="goods">
        <PhaseChip phase={phase} />
        <Heading>{sale.title}</Heading>
        {sale.items.length === 1
          ? <div className="only"><p className="item-name">{item.title === sale.title ? null : item.title}</p><p className="price big">{money(item.price)}</p><Stock item={item} /></div>
          : <Items sale={sale} chosen={item} disabled={['asking', 'waiting', 'queued', 'placed'].includes(buying.at)}
              onChoose={(chosen) => setWish((before) => ({ ...before, item: chosen }))} />}
        <p className="soft small facts">
          {phase === 'scheduled' ? say('opensAt', { time: moment(opensAt) }) : phase === 'ended' ? say('endedAt', { time: moment(closesAt) }) : say('endsAt', { time: moment(closesAt) })}
          {' · '}{say('perBuyer', { limit: sale.limitPerBuyer })}
        </p>
      </div>
      <BuyPanel sale={sale} item={item} phase={phase} purchase={purchase} buying={buying} quantity={quantity}
        newer={readAt > changedAt + NEWER_MS} onQuantity={(chosen) => setWish({ item: item.id, quantity: chosen })} />
    </div>
  );
}

interface ItemsProps { sale: Sale; chosen: Item; disabled: boolean; onChoose(item: string): void }

function Items({ sale, chosen, disabled, onChoose }: ItemsProps) {
  const say = useSay();
  return (
    <fieldset className="items" disabled={disabled}>
      <legend className="small soft">{say('choose')}</legend>
      {sale.items.map((item) => (
        <label key={item.id} className={`item ${item === chosen ? 'chosen' : ''} ${isGone(item) ? 'gone' : ''}`}>
          <input type="radio" name="item" className="unseen" checked={item === chosen} onChange={() => onChoose(item.id)} />
          <span className="thumb"><Picture of={item.id} /></span>
          <span className="item-name">{item.title}</span>
          <span className="price">{money(item.price)}</span>
          <Stock item={item} />
        </label>
      ))}
    </fieldset>
  );
}
