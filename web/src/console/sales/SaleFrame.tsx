/** A sale's title, state and tabs, around whichever tab is shown. */

import { type ReactNode, useEffect, useState } from 'react';
import { api } from '../api/calls';
import type { Sale } from '../api/types';
import { ProblemNotice } from '../parts/Notice';
import { PhaseBadge } from '../parts/PhaseBadge';
import { href, SALE_TABS, type SaleTab } from '../routes';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';

const REFRESH_MS = 3_000;

interface Props {
  id: string;
  tab: SaleTab;
  render: (sale: Sale, reload: () => void) => ReactNode;
}

export function SaleFrame({ id, tab, render }: Props) {
  const { words } = useTongue();
  const { data: sale, problem, reload } = useLoad(`sale ${id}`, () => api.sale(id), REFRESH_MS);
  return (
    <div className={`page stack tab-${tab}`}>
      <div className="sale-head">
        <h1>{sale?.title ?? id}</h1>
        {sale && <PhaseBadge phase={sale.phase} />}
        {sale && <When sale={sale} />}
        <nav className="tabs" aria-label={words.sale.tabs.label}>
          {SALE_TABS.map((name) => (
            <a key={name} href={href({ at: 'sale', sale: id, tab: name })} aria-current={name === tab ? 'page' : undefined}>
              {words.sale.tabs[name]}
            </a>
          ))}
        </nav>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {!sale && !problem && <p className="soft">{words.common.loading}</p>}
      {sale && render(sale, reload)}
    </div>
  );
}

function When({ sale }: { sale: Sale }) {
  const { words, format } = useTongue();
  const now = useNow();
  const opens = (Date.parse(sale.opensAt) - now) / 1_000;
  const closes = (Date.parse(sale.closesAt) - now) / 1_000;
  const { opensIn, closesIn, endedAgo } = words.sale;
  const ended = sale.phase === 'ended';
  const text = ended
    ? closes < 0 && endedAgo(format.span(-closes))
    : opens > 0
      ? opensIn(format.span(opens))
      : closesIn(format.span(closes));
  return (
    <span className="soft small digits">
      {sale.id}
      {text && ` · ${text}`}
    </span>
  );
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
