/** Where the console is: the part of the address after `#`. */

import { useSyncExternalStore } from 'react';

export const SALE_TABS = ['ready', 'live', 'do', 'repair', 'after'] as const;
export type SaleTab = (typeof SALE_TABS)[number];

export type Route =
  | { at: 'sales' }
  | { at: 'new-sale' }
  | { at: 'edit-sale'; sale: string }
  | { at: 'sale'; sale: string; tab: SaleTab }
  | { at: 'limits' }
  | { at: 'letters' }
  | { at: 'find'; text: string }
  | { at: 'audit'; sale: string }
  | { at: 'nowhere' };

export function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map(decoded);
  const parameters = new URLSearchParams(search);
  const [first, sale, tab = 'live'] = parts;
  switch (first) {
    case undefined:
      return { at: 'sales' };
    case 'new':
      return { at: 'new-sale' };
    case 'limits':
    case 'letters':
      return { at: first };
    case 'find':
      return { at: 'find', text: parameters.get('q') ?? '' };
    case 'audit':
      return { at: 'audit', sale: parameters.get('sale') ?? '' };
    case 'sales':
      if (sale === undefined) return { at: 'sales' };
      if (tab === 'edit') return { at: 'edit-sale', sale };
      return isTab(tab) ? { at: 'sale', sale, tab } : { at: 'nowhere' };
    default:
      return { at: 'nowhere' };
  }
}

export function href(route: Route): string {
  switch (route.at) {
    case 'sales':
    case 'nowhere':
      return '#/';
    case 'new-sale':
      return '#/new';
    case 'edit-sale':
      return `#/sales/${encodeURIComponent(route.sale)}/edit`;
    case 'sale':
      return `#/sales/${encodeURIComponent(route.sale)}/${route.tab}`;
    case 'limits':
    case 'letters':
      return `#/${route.at}`;
    case 'find':
      return `#/find${route.text && `?${new URLSearchParams({ q: route.text })}`}`;
    case 'audit':
      return `#/audit${route.sale && `?${new URLSearchParams({ sale: route.sale })}`}`;
  }
}

export function go(route: Route): void {
  window.location.hash = href(route);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed);
      return () => window.removeEventListener('hashchange', changed);
    },
    () => window.location.hash,
  );
  return parse(hash);
}

function isTab(text: string): text is SaleTab {
  return (SALE_TABS as readonly string[]).includes(text);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
