import { money, moment } from '../../i18n';
import { ButtonLink } from '../../ui';
import { useNow } from '../data/clock';
import { readOrders, type Order } from '../data/shop';
import { useWatched } from '../data/watch';
import { useLeft } from '../parts/Countdown';
import { Heading } from '../parts/Heading';
import { Picture } from '../parts/Picture';
import { Stale, Trouble } from '../parts/Trouble';
import { toOrder, toSales } from '../routes';
import { Loading } from '../sale/SalesPage';
import { useSay, type Word } from '../words';
import { useTitles } from './titles';

/** Between looks: sooner while something waits for its payment. */
const PENDING_MS = 4_000;
const SETTLED_MS = 30_000;

const STATUS = { pending_payment: 'pending_payment', paid: 'paid', expired: 'expired', cancelled: 'cancelled', rejected: 'rejected' } as const satisfies Record<string, Word>;
export const statusWord = (order: Order) => STATUS[order.status as keyof typeof STATUS] ?? 'pending_payment';

/** Everything this buyer has ordered, newest first. */
export function OrdersPage() {
  const say = useSay();
  const titleOf = useTitles();
  const { body, problem, look } = useWatched('orders', readOrders,
    ({ orders }) => (orders.some((order) => order.status === 'pending_payment') ? PENDING_MS : SETTLED_MS));
  if (!body) return problem ? <><Heading>{say('myOrders')}</Heading><Trouble problem={problem} onAgain={look} /></> : <Loading />;
  return (
    <>
      <Heading>{say('myOrders')}</Heading>
      <Stale problem={problem} />
      {body.orders.length === 0 && (
        <div className="empty">
          <p className="empty-title">{say('noOrders')}</p><p className="soft">{say('noOrdersNote')}</p>
          <ButtonLink weight="primary" large href={toSales}>{say('seeSales')}</ButtonLink>
        </div>
      )}
      <ul className="orders">
        {body.orders.map((order) => <li key={order.orderId}><OrderCard order={order} title={titleOf(order)} /></li>)}
      </ul>
    </>
  );
}

function OrderCard({ order, title }: { order: Order; title: string }) {
  const say = useSay();
  const status = statusWord(order);
  const until = order.expiresAt ? Date.parse(order.expiresAt) : 0;
  const waits = status === 'pending_payment' && until > useNow(until);
  return (
    <a className={`order-card ${status}`} href={toOrder(order.orderId)}>
      <span className="thumb"><Picture of={order.item ?? order.sale} /></span>
      <span className="about">
        <span className="item-name">{title}{order.quantity > 1 && ` × ${order.quantity}`}</span>
        <span className="soft small">{moment(order.createdAt)}</span>
      </span>
      <span className="amount">
        {order.amount && <b>{money(order.amount)}</b>}
        <span className={`chip ${status}`}>{say(status)}</span>
        {waits && <span className="small"><PayWithin until={until} /></span>}
      </span>
    </a>
  );
}

function PayWithin({ until }: { until: number }) {
  const say = useSay();
  return <span className="digits">{say('payWithin', { time: useLeft(until) })}</span>;
}
