// A buyer at the storefront, as the specs see one.
import { expect, type Page } from '@playwright/test';

export const openSale = async (page: Page, sale: string) => {
  await page.goto(`/#/sales/${sale}`);
  await expect(page.locator('.panel')).toBeVisible();
};

export const buyButton = (page: Page) => page.getByRole('button', { name: 'Buy now' });
export const panelTitle = (page: Page) => page.locator('.panel :is(h1, h2)');
export const says = (page: Page, text: string | RegExp, timeout = 15_000) => expect(panelTitle(page)).toHaveText(text, { timeout });

interface Order { orderId: string; sale: string; item: string; status: string; quantity: number }

/** The orders of the page's buyer, as the shop has them. */
export async function ordersOf(page: Page): Promise<Order[]> {
  return page.evaluate(async () => {
    const entry = await new Promise<{ accessToken: string }>((done, failed) => {
      const opening = indexedDB.open('seckill-purchase', 1);
      opening.onerror = () => failed(opening.error);
      opening.onsuccess = () => {
        const read = opening.result.transaction('entries').objectStore('entries').get('seckill.demo-buyer');
        read.onsuccess = () => done(read.result);
      };
    });
    const answer = await fetch('/api/v1/me/orders', { headers: { authorization: `Bearer ${entry.accessToken}` } });
    return (await answer.json()).orders;
  });
}

/** From the placed order to the paid one. */
export async function pays(page: Page) {
  await page.getByRole('link', { name: 'Go to payment' }).click();
  await page.getByRole('button', { name: /^Pay/ }).click();
  await says(page, 'Paid. It is yours.');
}

/** Requests of the page to the route that buys. */
export function purchases(page: Page): { token: string; at: number }[] {
  const seen: { token: string; at: number }[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/orders')) seen.push({ token: request.postDataJSON().token, at: Date.now() });
  });
  return seen;
}
