// Sales for tests, made through the operators' API.
import { randomBytes } from 'node:crypto';
import type { Stack } from './stack';

export interface Wanted {
  title?: string;
  /** Milliseconds from now. */
  opensIn?: number;
  closesIn?: number;
  limit?: number;
  /** Seconds an order waits for its payment. */
  paymentWindow?: number;
  items?: { id: string; title: string; price: number; stock: number }[];
  /** `draft`: neither warmed nor opened. */
  state?: 'open' | 'warm' | 'draft';
}

export const SHOES = { id: 'red-42', title: 'Red running shoes, size 42', price: 19_900, stock: 20 };

/** Makes a sale, warms and opens it; gives its id. */
export async function makeSale({ admin }: Stack, wanted: Wanted = {}): Promise<string> {
  const { title = 'Evening sale', opensIn = -1_000, closesIn = 3_600_000, limit = 1, paymentWindow = 900, items = [SHOES], state = 'open' } = wanted;
  const id = `e2e-${randomBytes(4).toString('hex')}`;
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  await admin('POST', '/admin/v1/sales', {
    id, title, opensAt: at(opensIn), closesAt: at(closesIn), limitPerBuyer: limit, paymentWindowSeconds: paymentWindow, reason: 'a test',
    items: items.map(({ price, ...item }) => ({ ...item, price: { amount: price, currency: 'CNY' } })),
  });
  if (state !== 'draft') await admin('POST', `/admin/v1/sales/${id}/warm`);
  if (state === 'open') await admin('POST', `/admin/v1/sales/${id}/open`);
  return id;
}

export interface Line { id: string; stock: number; free: number; unpublished: number; queued: number; held: number; paid: number; difference: number }

/** The books of the sale's items. */
export async function ledger({ admin }: Stack, sale: string): Promise<Line[]> {
  return (await admin<{ items: Line[] }>('GET', `/admin/v1/sales/${sale}/ledger`)).items;
}
