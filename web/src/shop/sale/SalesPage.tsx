import { moment, money } from '../../i18n';
import { useNow } from '../data/clock';
import { readSales, type Sale } from '../data/shop';
import { useWatched } from '../data/watch';
import { Countdown } from '../parts/Countdown';
import { Heading } from '../parts/Heading';
import { PhaseChip } from '../parts/PhaseChip';
import { Picture } from '../parts/Picture';
import { Stale, Trouble } from '../parts/Trouble';
import { toSale } from '../routes';
import { useSay } from '../words';
import { cheapest, inOrder, phaseAt } from './phase';

/** Between looks at the list. */
const EVERY_MS = 3_000;

/** Every sale that shoppers may know of; those that can be bought first. */
export function SalesPage() {
  const say = useSay();
  const { body, problem, look } = useWatched('sales', readSales, () => EVERY_MS);
  const now = useNow(...(body?.sales ?? []).flatMap((sale) => [Date.parse(sale.opensAt), Date.parse(sale.closesAt)]));
  if (!body) return problem ? <Trouble problem={problem} onAgain={look} /> : <Loading />;
  const sales = inOrder(body.sales, now);
  return (
    <>
      <Heading>{say('today')}</Heading>
      <p className="lead">{say('lead')}</p>
      <Stale problem={problem} />
      {sales.length === 0 && <div className="empty"><p className="empty-title">{say('nothing')}</p><p className="soft">{say('nothingMore')}</p></div>}
      <ul className="shelf">
        {sales.map((sale, at) => <li key={sale.id}><SaleCard sale={sale} now={now} first={at === 0} /></li>)}
      </ul>
    </>
  );
}

export function Loading() {
  const say = useSay();
  return <p className="loading soft" role="status">{say('loading')}</p>;
}

function SaleCard({ sale, now, first }: { sale: Sale; now: number; first: boolean }) {
  const say = useSay();
  const phase = phaseAt(sale, now);
  const price = cheapest(sale);
  const opens = Date.parse(sale.opensAt);
  return (
    <a className={`sale-card ${first ? 'first' : ''} ${phase}`} href={toSale(sale.id)}>
      <span className="frame"><Picture of={sale.items[0]?.id ?? sale.id} /></span>
      <span className="about">
        <span className="row"><PhaseChip phase={phase} /></span>
        <span className="name">{sale.title}</span>
        <span className="price">
          {price && (sale.items.length > 1 ? say('from', { price: money(price) }) : money(price))}
          {sale.items.length > 1 && <span className="soft small"> · {say('items', { count: sale.items.length })}</span>}
        </span>
        <span className="when">
          {phase === 'scheduled' && <><span className="soft">{say('opensIn')}</span> <Countdown until={opens} label={say('opensIn')} /></>}
          {phase === 'open' && <span className="go">{say('toSale')}</span>}
          {phase === 'ended' && <span className="soft">{say('endedAt', { time: moment(sale.closesAt) })}</span>}
        </span>
      </span>
    </a>
  );
}
