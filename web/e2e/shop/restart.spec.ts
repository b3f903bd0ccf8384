/** A gateway that dies under a buyer's hands. On the real servers: another one takes its place. */
import { buyButton, openSale, ordersOf, purchases, says } from '../support/buyer';
import { ledger, makeSale } from '../support/sales';
import { expect, test } from '../support/test';

test('a gateway killed after it decided, and started again: the same tap leads to the order', async ({ page, stack }) => {
  test.setTimeout(120_000);
  const sale = await makeSale(stack, { limit: 2 });
  await openSale(page, sale);
  await expect(buyButton(page)).toBeEnabled();
  const sent = purchases(page);
  await page.route('**/orders', async (route) => {
    await route.fetch();
    process.kill(stack.gatewayPid(), 'SIGKILL');
    await route.abort('connectionreset');
  }, { times: 1 });
  await buyButton(page).click();
  await says(page, 'No answer arrived. Asking again cannot buy twice.');
  await says(page, 'The order is yours', 60_000);
  expect(new Set(sent.map(({ token }) => token)).size).toBe(1);
  expect(sent.length).toBeLessThanOrEqual(10);
  expect(await ordersOf(page)).toHaveLength(1);
  await expect.poll(async () => (await ledger(stack, sale))[0], { timeout: 30_000 }).toMatchObject({ held: 1, queued: 0, difference: 0 });
});

test('a gateway killed while the countdown runs: the page goes on by itself', async ({ page, stack }) => {
  test.setTimeout(120_000);
  const sale = await makeSale(stack, { opensIn: 12_000 });
  await openSale(page, sale);
  process.kill(stack.gatewayPid(), 'SIGKILL');
  await expect(page.getByRole('timer')).toBeVisible();
  await expect(buyButton(page)).toBeEnabled({ timeout: 60_000 });
  await buyButton(page).click();
  await says(page, 'The order is yours', 60_000);
});
