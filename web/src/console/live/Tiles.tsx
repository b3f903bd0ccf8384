/** The numbers that an operator looks at first. */

import type { ReactNode } from 'react';
import type { LiveItem } from '../api/types';
import { useTongue } from '../words';
import type { Now } from './state';

export function Tiles({ now }: { now: Now }) {
  const { words, format } = useTongue();
  const { live } = words;
  const { items, perSecond } = now;
  const sum = (of: (item: LiveItem) => number) => items?.reduce((total, item) => total + of(item), 0);
  const stock = sum((item) => item.stock) ?? 0;
  const units = (count: number | undefined) => (count === undefined ? words.common.none : format.number(count));
  const rate = (of: number | undefined) => (of === undefined ? words.common.none : format.short(of));
  const difference = sum((item) => Math.abs(item.difference));
  const level = (name: 'free' | 'queued' | 'held' | 'paid', count: number | undefined) => (
    <Tile name={live[name]} kind={name} value={units(count)} below={count === undefined ? '' : live.ofStock(format.percent(count, stock))} />
  );
  return (
    <dl className="tiles">
      {level('free', sum((item) => item.free))}
      {level('queued', sum((item) => item.queued + item.unpublished))}
      {level('held', sum((item) => item.held))}
      {level('paid', sum((item) => item.paid))}
      <SellOut now={now} />
      <Tile
        name={live.difference}
        kind={difference ? 'bad' : ''}
        value={units(sum((item) => item.difference))}
        below={difference === undefined ? '' : difference === 0 ? live.balanced : live.notBalanced}
      />
      <Tile name={live.asked} kind="asked" value={rate(perSecond?.asked)} unit={live.perSecond} below={perSecond && `${live.refused} ${rate(perSecond.refused)}${live.perSecond}`} />
      <Tile name={live.accepted} kind="accepted" value={rate(perSecond?.accepted)} unit={live.perSecond} below={perSecond && `${live.placed} ${rate(perSecond.placed)}${live.perSecond}`} />
    </dl>
  );
}

/** When everything was gone, or will be at the present rate: the latest of all items. */
function SellOut({ now }: { now: Now }) {
  const { words, format } = useTongue();
  const { live } = words;
  const moments = now.items?.map(({ soldOutAt }) => soldOutAt) ?? [];
  const known = moments.length > 0 && moments.every((at) => at != null);
  const at = known ? Math.max(...moments.map((moment) => Date.parse(moment ?? ''))) : undefined;
  const gone = now.items !== undefined && now.items.length > 0 && now.items.every(({ free }) => free <= 0);
  const name = gone ? live.soldOutAt : live.projected;
  if (at === undefined) return <Tile name={name} kind="" value={words.common.none} below={gone ? '' : live.notInSight} />;
  const away = (at - Date.parse(now.at)) / 1_000;
  const span = format.span(Math.abs(away));
  return (
    <Tile
      name={name}
      kind=""
      value={away <= 0 ? live.agoTime(span) : live.inTime(span)}
      below={gone ? format.clock(at) : live.atRate(format.clock(at))}
    />
  );
}

function Tile({ name, kind, value, unit, below }: { name: string; kind: string; value: string; unit?: string; below: ReactNode }) {
  return (
    <div className={`tile ${kind}`}>
      <dt>{name}</dt>
      <dd>
        <b className="digits">
          {value}
          {unit && <small>{unit}</small>}
        </b>
        <span className="soft small digits">{below}</span>
      </dd>
    </div>
  );
}
