import { useEffect, useRef } from 'react';
import type { Buying, Purchase } from 'seckill-purchase';
import { money } from '../../i18n';
import { Button, ButtonLink, Spinner } from '../../ui';
import { useNow } from '../data/clock';
import { demoOffered, login } from '../data/login';
import type { Item, Sale } from '../data/shop';
import { useAnnounced } from '../parts/Announcer';
import { Countdown } from '../parts/Countdown';
import { toOrder, toSales } from '../routes';
import { useSay } from '../words';
import { panelOf, type Action } from './panel';
import { isGone, type Phase } from './phase';

/** So that the menu stays a menu. */
const QUANTITY_SHOWN_MAX = 10;

interface Props {
  sale: Sale;
  item: Item;
  phase: Phase;
  purchase: Purchase;
  buying: Buying;
  quantity: number;
  newer: boolean;
  onQuantity(quantity: number): void;
}

/** One state at a time: what is the case, in a sentence, and the one thing to do about it. */
export function BuyPanel({ sale, item, phase, purchase, buying, quantity, newer, onQuantity }: Props) {
  const say = useSay();
  const opensAt = Date.parse(sale.opensAt);
  const now = useNow(opensAt);
  const panel = panelOf({ phase, opensAt, buying, now, itemGone: isGone(item), quantity, newer, say, demo: demoOffered() });
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => { if (panel.result) title.current?.focus(); }, [panel.result, buying]);
  useAnnounced(panel.result ? undefined : spoken(panel.title, buying, phase, opensAt - now, say));

  const act = (action: Action) => {
    switch (action.does) {
      case 'buy': case 'again': return void purchase.buy(item.id, quantity);
      case 'sign-in': return void login(true).catch(() => undefined).then(() => purchase.reset());
      case 'reset': return purchase.reset();
    }
  };
  return (
    <section className={`panel ${panel.tone}`} aria-label={say('buy')}>
      <h2 ref={title} tabIndex={-1} className={panel.until ? 'until' : ''}>{panel.title}</h2>
      {panel.until !== undefined && <p className="clock"><Countdown until={panel.until} label={panel.title} large /></p>}
      {panel.note && <p className="soft">{panel.note}</p>}
      {sale.limitPerBuyer > 1 && !panel.result && (
        <Quantity limit={sale.limitPerBuyer} quantity={quantity} disabled={panel.fixed} onChange={onQuantity} item={item} />
      )}
      <ActionButton action={panel.action} onAct={() => act(panel.action)} />
      {panel.reference && <p className="soft small">{say('reference', { id: panel.reference })}</p>}
    </section>
  );
}

function ActionButton({ action, onAct }: { action: Action; onAct(): void }) {
  switch (action.does) {
    case 'go': return (
      <ButtonLink weight="primary" large wide href={action.to === 'order' && action.order ? toOrder(action.order) : toSales}>{action.label}</ButtonLink>
    );
    // Not `disabled`: whoever waits with the keyboard keeps their place on it.
    case 'off': return (
      <Button weight="primary" large wide aria-disabled="true" className={action.busy ? 'digits' : ''}>{action.busy && <Spinner />}{action.label}</Button>
    );
    default: return <Button weight="primary" large wide onClick={onAct}>{action.label}</Button>;
  }
}

interface QuantityProps { limit: number; quantity: number; disabled: boolean; item: Item; onChange(quantity: number): void }

function Quantity({ limit, quantity, disabled, item, onChange }: QuantityProps) {
  const say = useSay();
  const choices = Array.from({ length: Math.min(limit, QUANTITY_SHOWN_MAX) }, (_, at) => at + 1);
  return (
    <div className="quantity">
      <label>
        <span>{say('quantity')}</span>
        <select value={quantity} disabled={disabled} onChange={(event) => onChange(Number(event.target.value))}>
          {choices.map((choice) => <option key={choice}>{choice}</option>)}
        </select>
      </label>
      <span><span className="soft">{say('total')}</span> <b className="digits">{money({ ...item.price, amount: item.price.amount * quantity })}</b></span>
    </div>
  );
}

/** What is read out: a minute and ten seconds before the opening, the opening, and each step of a purchase. */
function spoken(title: string, buying: Buying, phase: Phase, leftMs: number, say: ReturnType<typeof useSay>): string | undefined {
  if (buying.at !== 'idle') return title;
  if (phase === 'open') return say('openNow');
  if (phase !== 'scheduled') return title;
  if (leftMs <= 10_000) return say('tenLeft');
  return leftMs <= 60_000 && leftMs > 50_000 ? say('minuteLeft') : undefined;
}
