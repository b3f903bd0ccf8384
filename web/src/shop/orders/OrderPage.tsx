import { useEffect, useRef, useState } from 'react';
import { money, moment } from '../../i18n';
import { Banner, Button, ButtonLink, Dialog, Spinner } from '../../ui';
import { useNow } from '../data/clock';
import { cancel, pay, readOrder, type Order, type Problem } from '../data/shop';
import { useWatched } from '../data/watch';
import { useAnnounced } from '../parts/Announcer';
import { Countdown } from '../parts/Countdown';
import { Picture } from '../parts/Picture';
import { Stale, Trouble } from '../parts/Trouble';
import { toOrders, toSales } from '../routes';
import { sentence } from '../sale/panel';
import { Loading } from '../sale/SalesPage';
import { useSay } from '../words';
import { statusWord } from './OrdersPage';
import { standingOf } from './standing';
import { useTitles } from './titles';

const PENDING_MS = 3_000;
/** While a payment is being confirmed. */
const CONFIRMING_MS = 1_000;
/** A decision about a late payment takes its time. */
const REFUND_MS = 5_000;
/** Then it is not called "being confirmed" any more: the buyer may try again. */
const CONFIRMED_WITHIN_MS = 30_000;

/** One order: pay for it, cancel it, see what became of it. */
export function OrderPage({ id }: { id: string }) {
  const say = useSay();
  const [confirming, setConfirming] = useState(false);
  const { body: order, problem, look } = useWatched(`order ${id}`, readOrder(id), (read) => {
    if (read.status !== 'pending_payment') return read.refund && read.refund !== 'refunded' ? REFUND_MS : null;
    return confirming ? CONFIRMING_MS : PENDING_MS;
  });
  return (
    <>
      <a className="back" href={toOrders}>{say('backToOrders')}</a>
      {order ? <><Stale problem={problem} /><Open order={order} confirming={confirming} onConfirming={setConfirming} onChanged={look} /></>
        : problem ? <Trouble problem={problem} onAgain={look} /> : <Loading />}
    </>
  );
}

interface Props { order: Order; confirming: boolean; onConfirming(confirming: boolean): void; onChanged(): void }

function Open({ order, confirming, onConfirming, onChanged }: Props) {
  const say = useSay();
  const titleOf = useTitles();
  const expires = order.expiresAt ? Date.parse(order.expiresAt) : 0;
  const now = useNow(expires);
  const standing = standingOf(order, now, confirming, say);
  const [failed, setFailed] = useState<Problem>();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [checkout, setCheckout] = useState<string>();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [standing.title]);
  useAnnounced(standing.until !== undefined && standing.tone === 'warn' ? say('orderHurry') : undefined);
  useEffect(() => {
    if (!confirming) return;
    const timer = setTimeout(() => onConfirming(false), CONFIRMED_WITHIN_MS);
    return () => clearTimeout(timer);
  }, [confirming, onConfirming]);

  async function startPayment() {
    setBusy(true);
    setFailed(undefined);
    const answer = await pay(order.orderId);
    setBusy(false);
    if (!answer.ok) setFailed(answer.problem);
    else if (answer.body.url) setCheckout(answer.body.url);
    else onConfirming(true);
    onChanged();
  }
  async function cancelOrder() {
    setAsking(false);
    setBusy(true);
    const answer = await cancel(order.orderId);
    setBusy(false);
    setFailed(answer.ok ? undefined : answer.problem);
    onChanged();
  }

  const noProvider = failed?.code === 'not-found';
  return (
    <div className="order">
      <section className={`panel ${standing.tone}`}>
        <h1 ref={title} tabIndex={-1}>{standing.title}</h1>
        {standing.until !== undefined && <p className="clock"><Countdown until={standing.until} label={standing.title} large /></p>}
        {standing.note && <p className="soft">{standing.note}</p>}
        {standing.tone === 'busy' && <Spinner />}
        {failed && <Banner tone="warn" title={noProvider ? say('payElsewhere') : sentence(failed, say)} live />}
        {order.status !== 'pending_payment' && <ButtonLink large wide href={toSales}>{say('otherSales')}</ButtonLink>}
        {standing.payable && (
          <div className="stack">
            {checkout
              ? <ButtonLink weight="primary" large wide href={checkout}>{say('toCheckout')}</ButtonLink>
              : !noProvider && (
                <Button weight="primary" large wide disabled={busy} onClick={startPayment}>
                  {busy && <Spinner />}{say('pay', { amount: order.amount ? money(order.amount) : '' })}
                </Button>
              )}
            <Button weight="text" disabled={busy} onClick={() => setAsking(true)}>{say('cancel')}</Button>
          </div>
        )}
      </section>
      <section className="receipt">
        <div className="frame"><Picture of={order.item ?? order.sale} /></div>
        <dl>
          <dt>{say('item')}</dt><dd>{titleOf(order)}{order.quantity > 1 && ` × ${order.quantity}`}</dd>
          {order.amount && <><dt>{say('price')}</dt><dd className="digits">{money(order.amount)}</dd></>}
          <dt>{say('ordered')}</dt><dd>{moment(order.createdAt)}</dd>
          <dt>{say('number')}</dt><dd><code>{order.orderId}</code></dd>
        </dl>
        <span className={`chip ${statusWord(order)}`}>{say(statusWord(order))}</span>
      </section>
      {asking && (
        <Dialog title={say('cancelAsk')} onClose={() => setAsking(false)}>
          <p>{say('cancelNote')}</p>
          <div className="row">
            <Button onClick={() => setAsking(false)}>{say('cancelNo')}</Button>
            <Button weight="danger" onClick={cancelOrder}>{say('cancelYes')}</Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
