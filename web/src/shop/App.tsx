import { useEffect, useState, useSyncExternalStore } from 'react';
import { LanguageSwitch, useLanguage } from '../i18n';
import { Button } from '../ui';
import { forgetDemoBuyer, isDemo, knownBuyer, login, onLogin } from './data/login';
import { forgetPurchases } from './data/purchases';
import { OrderPage } from './orders/OrderPage';
import { OrdersPage } from './orders/OrdersPage';
import { Announcer } from './parts/Announcer';
import { Heading } from './parts/Heading';
import { routeOf, toOrders, toSales, useHash } from './routes';
import { SalePage } from './sale/SalePage';
import { SalesPage } from './sale/SalesPage';
import { useSay } from './words';

export function App() {
  const say = useSay();
  const hash = useHash();
  const route = routeOf(hash);
  const language = useLanguage();
  useEffect(() => { document.title = say('brand'); }, [say, language]);
  useEffect(() => { scrollTo(0, 0); }, [hash]);
  const inOrders = route.page === 'orders' || route.page === 'order';
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>{say('skip')}</a>
      <header className="bar">
        <a className="brand" href={toSales}><Bolt />{say('brand')}</a>
        <nav aria-label={say('brand')}>
          <a href={toSales} aria-current={inOrders ? undefined : 'page'}>{say('sales')}</a>
          <a href={toOrders} aria-current={inOrders ? 'page' : undefined}>{say('myOrders')}</a>
        </nav>
        <LanguageSwitch />
      </header>
      <Offline />
      <main id="main" tabIndex={-1}>
        {route.page === 'sales' && <SalesPage />}
        {route.page === 'sale' && <SalePage key={route.sale} id={route.sale} />}
        {route.page === 'orders' && <OrdersPage />}
        {route.page === 'order' && <OrderPage key={route.order} id={route.order} />}
        {route.page === 'nowhere' && <><Heading>{say('notHere')}</Heading><p><a className="back" href={toSales}>{say('back')}</a></p></>}
      </main>
      <Footer />
      <Announcer />
    </>
  );
}

function Bolt() {
  return (
    <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
      <rect className="bolt-ground" width="32" height="32" rx="8" /><path className="bolt" d="M18.6 5 8.5 18h6.2L13 27l10.5-13.4h-6.4z" />
    </svg>
  );
}

const onLine = (listener: () => void) => {
  for (const event of ['online', 'offline']) addEventListener(event, listener);
  return () => { for (const event of ['online', 'offline']) removeEventListener(event, listener); };
};

function Offline() {
  const say = useSay();
  const online = useSyncExternalStore(onLine, () => navigator.onLine);
  return online ? null : <p className="offline" role="status">{say('offline')}</p>;
}

/** Who is buying, and a way to be somebody else: in the demo only. */
function Footer() {
  const say = useSay();
  const [busy, setBusy] = useState(false);
  const buyer = useSyncExternalStore(onLogin, knownBuyer);
  if (!buyer || !isDemo()) return null;
  const another = async () => {
    setBusy(true);
    forgetPurchases();
    await forgetDemoBuyer();
    await login().catch(() => undefined);
    setBusy(false);
    location.hash = toSales;
  };
  return (
    <footer>
      <span>{say('demoBuyer', { buyer })}</span> <Button weight="text" onClick={another} disabled={busy}>{say('newBuyer')}</Button>
    </footer>
  );
}
