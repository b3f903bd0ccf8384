// What was ordered, in words: orders name items by id, sales know their titles.
import { useWatched } from '../data/watch';
import { readSales, type Order } from '../data/shop';

/** Seldom: titles do not change while somebody looks at an order. */
const EVERY_MS = 60_000;

/** The title of an order's item, nothing until it is known; its id where the sale is gone. */
export function useTitles(): (order: Order) => string {
  const { body, problem } = useWatched('titles', readSales, () => EVERY_MS);
  return (order) => {
    if (!body && !problem) return '\u00a0';
    const sale = body?.sales.find((one) => one.id === order.sale);
    return sale?.items.find((one) => one.id === order.item)?.title ?? order.item ?? sale?.title ?? order.sale;
  };
}
