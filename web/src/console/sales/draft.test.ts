import { expect, test } from 'vitest';
import type { Sale } from '../api/types';
import { changes, check, type Draft, empty, emptyItem, fromSale, minorUnits, toSale } from './draft';

const flawless: Draft = {
  ...empty(new Date('2026-11-21T10:07:00Z')),
  id: 's1', title: 'Autumn drop',
  items: [{ ...emptyItem(0), id: 'red-42', title: 'Red shoe', price: '199', stock: '100' }],
};
const sale: Sale = {
  id: 's1', title: 'Autumn drop', phase: 'draft', state: 'draft', epoch: 0,
  opensAt: '2026-11-21T10:00:00.250Z', closesAt: '2026-11-21T11:00:00.000Z', limitPerBuyer: 2, paymentWindowSeconds: 100,
  items: [{ id: 'red-42', title: 'Red shoe', price: { amount: 19_900, currency: 'CNY' }, stock: 100 }],
};

test('an empty form opens at a round time in the future and lacks only what must be typed', () => {
  const draft = empty(new Date('2026-11-21T10:07:00Z'));
  expect(new Date(draft.opensAt).toISOString()).toBe('2026-11-21T11:00:00.000Z');
  expect(check(draft)).toEqual({
    id: 'required', title: 'required', 'items[0].id': 'required', 'items[0].title': 'required', 'items[0].price.amount': 'price', 'items[0].stock': 'stock',
  });
});

test('a flawless draft is the sale as the server wants it', () => {
  expect(check(flawless)).toEqual({});
  expect(toSale(flawless)).toEqual({
    id: 's1', title: 'Autumn drop', opensAt: '2026-11-21T11:00:00.000Z', closesAt: '2026-11-21T12:00:00.000Z', limitPerBuyer: 1, paymentWindowSeconds: 900,
    items: [{ id: 'red-42', title: 'Red shoe', price: { amount: 19_900, currency: 'CNY' }, stock: 100 }],
  });
});

test.each<[string, Partial<Draft>, Record<string, string>]>([
  ['an id with a blank', { id: 's 1' }, { id: 'id' }],
  ['an id of 65 characters', { id: 'a'.repeat(65) }, { id: 'id' }],
  ['a title with a control character', { title: 'a\u0007' }, { title: 'title' }],
  ['a title of 201 characters', { title: '鞋'.repeat(201) }, { title: 'title' }],
  ['no opening', { opensAt: '' }, { opensAt: 'time' }],
  ['closing at the opening', { closesAt: flawless.opensAt }, { closesAt: 'closesAfter' }],
  ['no units per buyer', { limitPerBuyer: '0' }, { limitPerBuyer: 'limit' }],
  ['half a unit', { limitPerBuyer: '1.5' }, { limitPerBuyer: 'limit' }],
  ['six seconds to pay', { paymentMinutes: '0.1' }, { paymentWindowSeconds: 'payment' }],
  ['more than seven days to pay', { paymentMinutes: '10081' }, { paymentWindowSeconds: 'payment' }],
  ['no items', { items: [] }, { items: 'items' }],
])('%s is said to be wrong', (_, change, errors) => {
  expect(check({ ...flawless, ...change })).toEqual(errors);
});

test('an item id that is used twice is said at the second', () => {
  const [item] = flawless.items;
  const items = item ? [item, { ...item, key: 1 }] : [];
  expect(check({ ...flawless, items })).toEqual({ 'items[1].id': 'twice' });
});

test('prices are exact: as many decimals as the currency has, and no rounding', () => {
  expect(minorUnits('19.9', 'CNY')).toBe(1_990);
  expect(minorUnits('0,05', 'CNY')).toBe(5);
  expect(minorUnits('1999', 'JPY')).toBe(1_999);
  expect(minorUnits('1.234', 'KWD')).toBe(1_234);
  for (const wrong of ['19.999', '-1', '', 'x', '1e3', '10000000000.01']) expect(minorUnits(wrong, 'CNY'), wrong).toBeUndefined();
  expect(minorUnits('1.5', 'JPY')).toBeUndefined();
});

test('an untouched form changes nothing, not even the milliseconds of a time', () => {
  expect(check(fromSale(sale))).toEqual({});
  expect(changes(sale, fromSale(sale))).toEqual({});
});

test('only what was touched is sent', () => {
  const draft = fromSale(sale);
  const items = draft.items.map((item) => ({ ...item, stock: '120' }));
  expect(changes(sale, { ...draft, title: 'Winter drop', items })).toEqual({ title: 'Winter drop', items: [{ id: 'red-42', stock: 120 }] });
});
