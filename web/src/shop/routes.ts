// Addresses of the storefront. Behind the `#`, so that the shop serves one page.
import { useSyncExternalStore } from 'react';

export type Route =
  | { page: 'sales' }
  | { page: 'sale'; sale: string }
  | { page: 'orders' }
  | { page: 'order'; order: string }
  | { page: 'nowhere' };

const decode = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export function routeOf(hash: string): Route {
  const [first = '', second = '', ...rest] = hash.replace(/^#?\/?/, '').split('/').map(decode);
  if (rest.length > 0) return { page: 'nowhere' };
  if (first === '' && second === '') return { page: 'sales' };
  if (first === 'sales') return second ? { page: 'sale', sale: second } : { page: 'sales' };
  if (first === 'orders') return second ? { page: 'order', order: second } : { page: 'orders' };
  return { page: 'nowhere' };
}

export const toSales = '#/';
export const toSale = (sale: string) => `#/sales/${encodeURIComponent(sale)}`;
export const toOrders = '#/orders';
export const toOrder = (order: string) => `#/orders/${encodeURIComponent(order)}`;

const subscribe = (listener: () => void) => {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
};

/** The address as text; `routeOf` reads it. */
export const useHash = () => useSyncExternalStore(subscribe, () => location.hash);
