/**
 * A sale as it stands in the form, and what is wrong with it. The rules are the server's own; a field that the server
 * refuses nevertheless is shown at the same place.
 */

import type { NewSale, Sale, SaleItem, SalePatch } from '../api/types';
import { digits, fromLocalInput, toLocalInput } from '../format';

export interface ItemDraft {
  /** Tells rows apart while their ids are being typed. */
  key: number;
  id: string;
  title: string;
  price: string;
  currency: string;
  stock: string;
}

export interface Draft {
  id: string;
  title: string;
  opensAt: string;
  closesAt: string;
  limitPerBuyer: string;
  paymentMinutes: string;
  items: ItemDraft[];
}

/** What can be wrong; the words for it are the page's. */
export type Wrong =
  | 'required' | 'id' | 'title' | 'time' | 'closesAfter' | 'limit' | 'payment'
  | 'price' | 'currency' | 'stock' | 'twice' | 'items';

/** By field, in the server's own names: `items[0].stock`. */
export type Errors = Record<string, Wrong>;

const ID = /^[A-Za-z0-9._-]{1,64}$/;
const ITEMS_MAX = 50;
const MINUTE_MS = 60_000;

export function empty(now: Date): Draft {
  const opens = new Date(Math.ceil(now.getTime() / (30 * MINUTE_MS)) * 30 * MINUTE_MS + 30 * MINUTE_MS);
  return {
    id: '',
    title: '',
    opensAt: toLocalInput(opens),
    closesAt: toLocalInput(new Date(opens.getTime() + 60 * MINUTE_MS)),
    limitPerBuyer: '1',
    paymentMinutes: '15',
    items: [emptyItem(0)],
  };
}

export function emptyItem(key: number, currency = 'CNY'): ItemDraft {
  return { key, id: '', title: '', price: '', currency, stock: '' };
}

export function fromSale(sale: Sale): Draft {
  return {
    id: sale.id,
    title: sale.title,
    opensAt: toLocalInput(sale.opensAt),
    closesAt: toLocalInput(sale.closesAt),
    limitPerBuyer: String(sale.limitPerBuyer),
    paymentMinutes: String(Math.round((sale.paymentWindowSeconds / 60) * 100) / 100),
    items: sale.items.map((item, key) => ({
      key,
      id: item.id,
      title: item.title,
      price: (item.price.amount / 10 ** digits(item.price.currency)).toFixed(digits(item.price.currency)),
      currency: item.price.currency,
      stock: String(item.stock),
    })),
  };
}

/** Everything that is wrong, not only the first thing. */
export function check(draft: Draft): Errors {
  const errors: Errors = {};
  const complain = (field: string, wrong: Wrong | undefined) => {
    if (wrong) errors[field] = wrong;
  };
  complain('id', textId(draft.id));
  complain('title', title(draft.title));
  const [opens, closes] = [fromLocalInput(draft.opensAt), fromLocalInput(draft.closesAt)];
  if (!opens) complain('opensAt', 'time');
  if (!closes) complain('closesAt', 'time');
  else if (opens && closes <= opens) complain('closesAt', 'closesAfter');
  complain('limitPerBuyer', whole(draft.limitPerBuyer, 1, 10_000) === undefined ? 'limit' : undefined);
  complain('paymentWindowSeconds', paymentSeconds(draft.paymentMinutes) === undefined ? 'payment' : undefined);
  if (draft.items.length === 0 || draft.items.length > ITEMS_MAX) complain('items', 'items');
  draft.items.forEach((item, at) => {
    const field = (name: string) => `items[${at}].${name}`;
    const twice = draft.items.slice(0, at).some((other) => other.id === item.id && item.id !== '');
    complain(field('id'), textId(item.id) ?? (twice ? 'twice' : undefined));
    complain(field('title'), title(item.title));
    complain(field('price.currency'), /^[A-Z]{3}$/.test(item.currency) ? undefined : 'currency');
    complain(field('price.amount'), minorUnits(item.price, item.currency) === undefined ? 'price' : undefined);
    complain(field('stock'), whole(item.stock, 0, 100_000_000) === undefined ? 'stock' : undefined);
  });
  return errors;
}

/** The sale that a flawless draft describes. */
export function toSale(draft: Draft): NewSale {
  return {
    id: draft.id,
    title: draft.title.trim(),
    opensAt: fromLocalInput(draft.opensAt)?.toISOString() ?? '',
    closesAt: fromLocalInput(draft.closesAt)?.toISOString() ?? '',
    limitPerBuyer: Number(draft.limitPerBuyer),
    paymentWindowSeconds: paymentSeconds(draft.paymentMinutes) ?? 0,
    items: draft.items.map((item) => ({
      id: item.id,
      title: item.title.trim(),
      price: { amount: minorUnits(item.price, item.currency) ?? 0, currency: item.currency },
      stock: Number(item.stock),
    })),
  };
}

/** What a flawless draft changes about the sale: only that is sent, so that nobody else's change is undone. */
export function changes(sale: Sale, draft: Draft): SalePatch {
  const wanted = toSale(draft);
  const before = fromSale(sale);
  const patch: SalePatch = {};
  if (wanted.title !== sale.title) patch.title = wanted.title;
  // The form shows whole seconds: an untouched time is left as it is, with its milliseconds.
  if (draft.opensAt !== before.opensAt) patch.opensAt = wanted.opensAt;
  if (draft.closesAt !== before.closesAt) patch.closesAt = wanted.closesAt;
  if (wanted.limitPerBuyer !== sale.limitPerBuyer) patch.limitPerBuyer = wanted.limitPerBuyer;
  if (draft.paymentMinutes !== before.paymentMinutes) patch.paymentWindowSeconds = wanted.paymentWindowSeconds;
  const items = wanted.items.flatMap((item) => itemChange(sale.items.find(({ id }) => id === item.id), item));
  if (items.length > 0) patch.items = items;
  return patch;
}

function itemChange(old: SaleItem | undefined, item: SaleItem) {
  if (!old) return [];
  const price = old.price.amount !== item.price.amount || old.price.currency !== item.price.currency;
  const stock = old.stock !== item.stock;
  if (!price && !stock) return [];
  return [{ id: item.id, ...(price && { price: item.price }), ...(stock && { stock: item.stock }) }];
}

/** 19.90 with CNY is 1990. More decimals than the currency has are not rounded away: they are wrong. */
export function minorUnits(text: string, currency: string): number | undefined {
  const decimals = digits(currency);
  const match = /^(\d{1,13})(?:[.,](\d+))?$/.exec(text.trim());
  const [, whole = '', rest = ''] = match ?? [];
  if (!match || rest.length > decimals) return undefined;
  const amount = Number(whole + rest.padEnd(decimals, '0'));
  return amount <= 1_000_000_000_000 ? amount : undefined;
}

function textId(text: string): Wrong | undefined {
  if (text === '') return 'required';
  return ID.test(text) ? undefined : 'id';
}

function title(text: string): Wrong | undefined {
  const length = [...text.trim()].length;
  if (length === 0) return 'required';
  return length > 200 || /[\u0000-\u001f\u007f]/.test(text) ? 'title' : undefined;
}

export function whole(text: string, min: number, max: number): number | undefined {
  const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function paymentSeconds(minutes: string): number | undefined {
  const text = minutes.trim().replace(',', '.');
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 60) : Number.NaN;
  return seconds >= 10 && seconds <= 7 * 86_400 ? seconds : undefined;
}
