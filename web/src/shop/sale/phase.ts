// What a sale is at this moment: its window may have begun or ended since it was read.
import type { Item, Sale } from '../data/shop';

export type Phase = 'scheduled' | 'open' | 'paused' | 'soldOut' | 'ended';

export function phaseAt(sale: Sale, now: number): Phase {
  if (now >= Date.parse(sale.closesAt)) return 'ended';
  if (sale.phase === 'scheduled' && now >= Date.parse(sale.opensAt)) return 'open';
  return sale.phase as Phase;
}

export const isGone = (item: Item) => item.stockLevel === 'none' || item.soldPercent >= 100;

const RANK: Phase[] = ['open', 'scheduled', 'paused', 'soldOut', 'ended'];

/** Those that can be bought first, then those that open next. */
export function inOrder(sales: Sale[], now: number): Sale[] {
  const key = (sale: Sale) => RANK.indexOf(phaseAt(sale, now));
  const soonest = (sale: Sale) => Date.parse(sale.opensAt) * (phaseAt(sale, now) === 'ended' ? -1 : 1);
  return [...sales].sort((a, b) => key(a) - key(b) || soonest(a) - soonest(b));
}

/** The lowest price of one unit. */
export function cheapest(sale: Sale) {
  return [...sale.items].sort((a, b) => a.price.amount - b.price.amount)[0]?.price;
}
