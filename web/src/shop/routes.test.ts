import { expect, it } from 'vitest';
import { routeOf, toOrder, toOrders, toSale, toSales } from './routes';

it('every address leads back to what it was made of', () => {
  expect(routeOf(toSales)).toEqual({ page: 'sales' });
  expect(routeOf(toSale('s1/ü .'))).toEqual({ page: 'sale', sale: 's1/ü .' });
  expect(routeOf(toOrders)).toEqual({ page: 'orders' });
  expect(routeOf(toOrder('0193'))).toEqual({ page: 'order', order: '0193' });
});

it('an address that is nothing is said to be nothing', () => {
  for (const hash of ['#/nope', '#/sales/s1/more', '#/orders/1/2']) expect(routeOf(hash)).toEqual({ page: 'nowhere' });
  expect(routeOf('')).toEqual({ page: 'sales' });
  expect(routeOf('#/sales/%E0%A4%A')).toEqual({ page: 'sale', sale: '%E0%A4%A' });
});
