/** One tap, one order: from the countdown to the payment, and with everything in between that can be lost. */
import { buyButton, openSale, ordersOf, pays, purchases, says } from '../support/buyer';
import { ledger, makeSale } from '../support/sales';
import { expect, test } from '../support/test';

test('from the countdown to a paid order', async ({ page, stack }) => {
  const sale = await makeSale(stack, { opensIn: 6_000 });
  const tokens: number[] = [];
  page.on('request', (request) => { if (request.url().endsWith('/tokens')) tokens.push(Date.now()); });
  await openSale(page, sale);
  await expect(page.getByRole('timer')).toHaveText(/^00:0\d$/);
  await expect(page.getByRole('button', { name: 'Not open yet' })).toBeDisabled();
  await expect(buyButton(page)).toBeEnabled({ timeout: 10_000 });
  const opened = Date.now();
  expect(tokens).toHaveLength(1); // fetched before the opening
  expect(tokens[0]).toBeLessThan(opened);
  await buyButton(page).click();
  await says(page, 'The order is yours');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('The order is yours');
  await pays(page);
  expect(await ordersOf(page)).toMatchObject([{ sale, status: 'paid', quantity: 1 }]);
  expect(await ledger(stack, sale)).toMatchObject([{ paid: 1, held: 0, queued: 0, difference: 0 }]);
  await page.getByRole('link', { name: 'My orders' }).first().click();
  await expect(page.locator('.order-card')).toContainText('Paid');
});

test('the button opens by the shop’s clock on a device whose own is an hour off', async ({ page, stack }) => {
  await page.clock.install({ time: Date.now() + 3_600_000 });
  const sale = await makeSale(stack, { opensIn: 5_000 });
  const opensAt = Date.now() + 5_000;
  await openSale(page, sale);
  await expect(page.getByRole('timer')).toHaveText(/^00:0\d$/);
  await expect(buyButton(page)).toBeEnabled({ timeout: 10_000 });
  expect(Math.abs(Date.now() - opensAt)).toBeLessThan(1_500);
});

test('a double tap is one purchase', async ({ page, stack }) => {
  const sale = await makeSale(stack, { limit: 2 });
  await openSale(page, sale);
  const sent = purchases(page);
  await buyButton(page).dblclick();
  await says(page, 'The order is yours');
  expect(sent).toHaveLength(1);
  expect(await ordersOf(page)).toHaveLength(1);
});

test('a reload in the middle leads to the same order', async ({ page, stack }) => {
  const sale = await makeSale(stack, { limit: 2 });
  await openSale(page, sale);
  const sent = purchases(page);
  // The shop decides, and the answer is lost.
  await page.route('**/orders', async (route) => { await route.fetch(); }, { times: 1 });
  await buyButton(page).click();
  await expect.poll(async () => (await ledger(stack, sale))[0]?.held).toBe(1);
  await page.reload();
  await says(page, 'The order is yours');
  expect(new Set(sent.map(({ token }) => token)).size).toBe(1);
  expect(await ordersOf(page)).toHaveLength(1);
});

test('a network lost in the middle leads to the same order', async ({ page, context, stack }) => {
  const sale = await makeSale(stack, { limit: 2 });
  await openSale(page, sale);
  const sent = purchases(page);
  await page.route('**/orders', async (route) => {
    await route.fetch();
    await context.setOffline(true);
    await route.abort('internetdisconnected');
  }, { times: 1 });
  await buyButton(page).click();
  await says(page, 'No answer arrived. Asking again cannot buy twice.');
  await expect(page.getByText('You are offline.')).toBeVisible();
  const before = sent.length;
  await page.waitForTimeout(3_000);
  expect(sent.length).toBe(before); // nothing is tried without a network
  await context.setOffline(false);
  await says(page, 'The order is yours');
  expect(new Set(sent.map(({ token }) => token)).size).toBe(1);
  expect(await ordersOf(page)).toHaveLength(1);
});

test('two tabs make one order', async ({ page, context, stack }) => {
  const sale = await makeSale(stack, { limit: 2 });
  const other = await context.newPage();
  await openSale(page, sale);
  await openSale(other, sale);
  const sent = [purchases(page), purchases(other)];
  // Whether the other tap comes in time or not.
  await Promise.all([page, other].map((tab) => buyButton(tab).click({ timeout: 5_000 }).catch(() => undefined)));
  await says(page, 'The order is yours');
  await says(other, 'The order is yours');
  expect(new Set(sent.flat().map(({ token }) => token)).size).toBe(1);
  expect(await ordersOf(page)).toHaveLength(1);
  expect((await ledger(stack, sale))[0]).toMatchObject({ held: 1, difference: 0 });
});

test('a slow phone on a slow line buys with one tap', async ({ page, stack }) => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 300, downloadThroughput: 100_000, uploadThroughput: 50_000 });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const sale = await makeSale(stack);
  await openSale(page, sale);
  await buyButton(page).click();
  await says(page, 'The order is yours', 30_000);
});

test('without a stream of events the order is found by asking', async ({ page, stack }) => {
  const sale = await makeSale(stack);
  await page.route('**/jobs/*/events', (route) => route.abort());
  await openSale(page, sale);
  await buyButton(page).click();
  await says(page, 'The order is yours');
});

test('while the shop is silent the countdown goes on, and the page says how old it is', async ({ page, stack }) => {
  const sale = await makeSale(stack, { opensIn: 60_000 });
  await openSale(page, sale);
  await page.route('**/api/v1/sales/*', (route) => route.abort());
  await expect(page.getByText('This could not be refreshed.')).toBeVisible();
  const [before, timer] = [await page.getByRole('timer').innerText(), page.getByRole('timer')];
  await expect(timer).not.toHaveText(before);
  await page.unroute('**/api/v1/sales/*');
  await expect(page.getByText('This could not be refreshed.')).toBeHidden();
});

test('an order can be cancelled, and bought again', async ({ page, stack }) => {
  const sale = await makeSale(stack);
  await openSale(page, sale);
  await buyButton(page).click();
  await says(page, 'The order is yours');
  await page.getByRole('link', { name: 'Go to payment' }).click();
  await page.getByRole('button', { name: 'Cancel order' }).click();
  await page.getByRole('button', { name: 'Yes, cancel it' }).click();
  await says(page, 'You cancelled this order');
  await openSale(page, sale);
  await page.getByRole('button', { name: 'Buy now' }).click();
  await says(page, 'The order is yours');
});

test('who has an order already is led to it', async ({ page, stack }) => {
  const sale = await makeSale(stack);
  await openSale(page, sale);
  await buyButton(page).click();
  await says(page, 'The order is yours');
  await page.waitForTimeout(1_500); // a tap in the same moment would be the same tap
  await page.reload();
  await buyButton(page).click();
  await says(page, 'You already have an order here. This sale allows 1 per buyer.');
  await page.getByRole('link', { name: 'Show my order' }).click();
  await says(page, 'Pay to keep it');
});

test('everything can be done with the keyboard', async ({ page, stack }) => {
  const sale = await makeSale(stack, { opensIn: 4_000 });
  await openSale(page, sale);
  const button = page.locator('.panel button');
  await button.focus();
  await expect(buyButton(page)).toBeEnabled({ timeout: 10_000 });
  await expect(button).toBeFocused(); // opened under the buyer's finger
  await page.keyboard.press('Enter');
  await says(page, 'The order is yours');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await says(page, 'Pay to keep it');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await says(page, 'Paid. It is yours.');
});
