/** The sale as it runs, on one screen. */

import type { Sale } from '../api/types';
import { Notice } from '../parts/Notice';
import { href } from '../routes';
import { useTongue } from '../words';
import { Age } from './Age';
import { BurnDown } from './BurnDown';
import { Funnel } from './Funnel';
import { Health } from './Health';
import { Items } from './Items';
import { Latency } from './Latency';
import { Rates } from './Rates';
import { Tiles } from './Tiles';
import { useLive } from './useLive';

export function LiveTab({ sale }: { sale: Sale }) {
  const { words, format } = useTongue();
  const { live } = words;
  const warm = sale.epoch > 0;
  const state = useLive(sale.id, warm);
  if (!warm) return <Notice kind="info">{live.notWarm}</Notice>;
  const { now, series } = state;
  const missing = now?.missing ?? [];
  const ages = now?.ledgerAgeMs != null && now.activityAgeMs != null && live.ages(format.ms(now.ledgerAgeMs), format.ms(now.activityAgeMs));
  return (
    <div className="live">
      <div className="live-head">
        <Age state={state} />
        {ages && <span className="soft small digits">{ages}</span>}
        {sale.phase === 'ended' && (
          <span className="small">
            {live.ended} <a href={href({ at: 'sale', sale: sale.id, tab: 'after' })}>{live.toReport}</a>
          </span>
        )}
        {missing.length > 0 && <Notice kind="warn">{live.missing(format.list(missing.map((part) => live.parts[part] ?? part)))}</Notice>}
      </div>
      {now && (
        <>
          <Tiles now={now} />
          <BurnDown series={series} />
          <Funnel funnel={now.funnel} />
          <Rates series={series} />
          <Latency latency={now.latencyMs} series={series} />
          <Health now={now} />
          {now.items && now.items.length > 1 && <Items items={now.items} />}
        </>
      )}
    </div>
  );
}
