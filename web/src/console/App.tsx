/** The frame of the console: who is in, where they are, and the way to everywhere else. */

import { useEffect, useState } from 'react';
import { LanguageSwitch } from '../i18n';
import { Button } from '../ui';
import { AfterTab } from './after/AfterTab';
import type { Problem } from './api/http';
import { AuditPage } from './audit/AuditPage';
import { DoTab } from './do/DoTab';
import { FindPage } from './find/FindPage';
import { LettersPage } from './letters/LettersPage';
import { LimitsPage } from './limits/LimitsPage';
import { LiveTab } from './live/LiveTab';
import { ProblemNotice } from './parts/Notice';
import { ReadyTab } from './ready/ReadyTab';
import { RepairTab } from './repair/RepairTab';
import { href, type Route, useRoute } from './routes';
import { SaleFrame } from './sales/SaleFrame';
import { CreateSale, EditSale } from './sales/SaleForm';
import { SalesPage } from './sales/SalesPage';
import { Brand, Login } from './session/Login';
import { useSession } from './session/session';
import { asProblem } from './useLoad';
import { useTongue } from './words';

export function App() {
  const { words } = useTongue();
  const { state, ask, signIn, signOut } = useSession();
  const [problem, setProblem] = useState<Problem>();
  const route = useRoute();
  useFocusOnArrival(route);
  const title = pageTitle(route, words.nav, words.sale.tabs);
  useEffect(() => {
    document.title = `${state.at === 'in' && title ? `${title} · ` : ''}${words.product}`;
  }, [state.at, title, words.product]);

  if (state.at === 'asking') return <main className="login soft">{words.common.loading}</main>;
  if (state.at === 'out') return <Login ended={state.ended} signIn={signIn} />;
  if (state.at === 'unknown') {
    return (
      <main className="login stack">
        <ProblemNotice problem={state.problem} />
        <Button onClick={ask}>{words.common.retry}</Button>
      </main>
    );
  }
  const leave = () => signOut().catch((error: unknown) => setProblem(asProblem(error)));
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>
        {words.skip}
      </a>
      <header className="top">
        <a className="home" href={href({ at: 'sales' })} aria-label={words.product}>
          <Brand />
        </a>
        <MainNav route={route} />
        <div className="top-end">
          <LanguageSwitch />
          <Button weight="text" onClick={leave}>{words.signOut}</Button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {problem && <ProblemNotice problem={problem} />}
        <Page route={route} />
      </main>
    </>
  );
}

function Page({ route }: { route: Route }) {
  const { words } = useTongue();
  switch (route.at) {
    case 'sales':
      return <SalesPage />;
    case 'new-sale':
      return <CreateSale />;
    case 'edit-sale':
      return <EditSale key={route.sale} id={route.sale} />;
    case 'sale':
      return <SaleFrame key={route.sale} id={route.sale} tab={route.tab} render={(sale, reload) => {
        switch (route.tab) {
          case 'ready':
            return <ReadyTab sale={sale} />;
          case 'live':
            return <LiveTab sale={sale} />;
          case 'do':
            return <DoTab sale={sale} reload={reload} />;
          case 'repair':
            return <RepairTab sale={sale} />;
          case 'after':
            return <AfterTab sale={sale} />;
        }
      }} />;
    case 'limits':
      return <LimitsPage />;
    case 'letters':
      return <LettersPage />;
    case 'find':
      return <FindPage text={route.text} />;
    case 'audit':
      return <AuditPage sale={route.sale} />;
    case 'nowhere':
      return (
        <div className="page stack">
          <h1>{words.nowhere}</h1>
          <a href={href({ at: 'sales' })}>{words.backToSales}</a>
        </div>
      );
  }
}

function MainNav({ route }: { route: Route }) {
  const { words } = useTongue();
  const places = [
    { to: { at: 'sales' }, name: words.nav.sales, here: ['sales', 'sale', 'new-sale', 'edit-sale'].includes(route.at) },
    { to: { at: 'limits' }, name: words.nav.limits, here: route.at === 'limits' },
    { to: { at: 'letters' }, name: words.nav.letters, here: route.at === 'letters' },
    { to: { at: 'find', text: '' }, name: words.nav.find, here: route.at === 'find' },
    { to: { at: 'audit', sale: '' }, name: words.nav.audit, here: route.at === 'audit' },
  ] satisfies { to: Route; name: string; here: boolean }[];
  return (
    <nav className="main-nav" aria-label={words.nav.label}>
      {places.map(({ to, name, here }) => (
        <a key={to.at} href={href(to)} aria-current={here ? 'page' : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}

/** A new page is announced by moving the focus to it; not on the first one, which nobody has left. */
function useFocusOnArrival(route: Route) {
  const place = 'sale' in route ? `${route.at} ${route.sale} ${'tab' in route ? route.tab : ''}` : route.at;
  const [first] = useState(place);
  const [left, setLeft] = useState(false);
  useEffect(() => {
    if (place === first && !left) return;
    setLeft(true);
    document.getElementById('main')?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [place, first, left]);
}

function pageTitle(route: Route, nav: Record<string, string>, tabs: Record<string, string>): string {
  switch (route.at) {
    case 'sale':
      return `${tabs[route.tab] ?? ''} · ${route.sale}`;
    case 'edit-sale':
      return route.sale;
    case 'limits':
    case 'letters':
    case 'find':
    case 'audit':
    case 'sales':
      return nav[route.at] ?? '';
    case 'new-sale':
    case 'nowhere':
      return '';
  }
}
