import { expect, test } from 'vitest';
import { href, parse, type Route } from './routes';

test.each<Route>([
  { at: 'sales' },
  { at: 'new-sale' },
  { at: 'edit-sale', sale: 'a.b_c-1' },
  { at: 'sale', sale: 's1', tab: 'after' },
  { at: 'limits' },
  { at: 'letters' },
  { at: 'find', text: 'a/b?c#d 鞋' },
  { at: 'audit', sale: 's1' },
  { at: 'audit', sale: '' },
])('the address of $at leads back to it', (route) => {
  expect(parse(href(route))).toEqual(route);
});

test('addresses that lead nowhere are said to', () => {
  for (const hash of ['#/x', '#/sales/s1/x']) expect(parse(hash)).toEqual({ at: 'nowhere' });
  expect(parse('')).toEqual({ at: 'sales' });
  expect(parse('#/sales/s1')).toEqual({ at: 'sale', sale: 's1', tab: 'live' });
  expect(parse('#/sales/%E0%A4%A/do')).toEqual({ at: 'sale', sale: '%E0%A4%A', tab: 'do' });
});
