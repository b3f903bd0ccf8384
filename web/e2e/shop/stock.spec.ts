/** Many buyers, few units; and an operator who changes things under their hands. */
import { buyButton, openSale, ordersOf, pays, purchases, says } from '../support/buyer';
import { ledger, makeSale, SHOES } from '../support/sales';
import { expect, test, type Page } from '../support/test';

/** We hear of a request a little after it was sent; that waits are exact is shown in packages/purchase/test. */
const HEARD_LATE_MS = 200;

test('twenty browsers, five units: five orders, and everybody else is told', async ({ browser, stack }) => {
  test.setTimeout(120_000);
  const sale = await makeSale(stack, { items: [{ ...SHOES, stock: 5 }], opensIn: 15_000 });
  const pages: Page[] = [];
  for (let buyer = 0; buyer < 20; buyer += 1) {
    const context = await browser.newContext({ baseURL: stack.shop, locale: 'en-GB' });
    const page = await context.newPage();
    await page.goto(`/#/sales/${sale}`);
    pages.push(page);
  }
  const ends = await Promise.all(pages.map(async (page) => {
    await buyButton(page).click({ timeout: 60_000 }).catch(() => undefined); // sold out before it could be pressed
    const end = page.getByText(/^(The order is yours|Everything is taken\..*)$/);
    await expect(end.first()).toBeVisible({ timeout: 30_000 });
    return end.first().innerText();
  }));
  expect(ends.filter((text) => text === 'The order is yours')).toHaveLength(5);
  expect(await ledger(stack, sale)).toMatchObject([{ free: 0, held: 5, difference: 0 }]);
  await Promise.all(pages.map((page) => page.context().close()));
});

test('sold out and back: the button returns when a unit does', async ({ page, browser, stack }) => {
  const sale = await makeSale(stack, { items: [{ ...SHOES, stock: 1 }] });
  const context = await browser.newContext({ baseURL: stack.shop, locale: 'en-GB' });
  const first = await context.newPage();
  await openSale(first, sale);
  await openSale(page, sale);
  await buyButton(first).click();
  await says(first, 'The order is yours');
  await buyButton(page).click({ timeout: 2_000 }).catch(() => undefined);
  await says(page, /^Everything is taken\./);
  await first.getByRole('link', { name: 'Go to payment' }).click();
  await first.getByRole('button', { name: 'Cancel order' }).click();
  await first.getByRole('button', { name: 'Yes, cancel it' }).click();
  await expect(buyButton(page)).toBeEnabled({ timeout: 20_000 }); // without a reload
  await buyButton(page).click();
  await says(page, 'The order is yours');
  await context.close();
});

test('the operator pauses and resumes: a tap in between is not lost', async ({ page, stack }) => {
  const sale = await makeSale(stack);
  await openSale(page, sale);
  await expect(buyButton(page)).toBeEnabled();
  const sent = purchases(page);
  await stack.admin('POST', `/admin/v1/sales/${sale}/pause`, { reason: 'a test' });
  await buyButton(page).click({ timeout: 1_000 }).catch(() => undefined);
  await says(page, 'The seller has paused the sale.');
  await stack.admin('POST', `/admin/v1/sales/${sale}/resume`, { reason: 'a test' });
  if (sent.length === 0) await buyButton(page).click({ timeout: 15_000 }); // the page knew before the tap
  await says(page, 'The order is yours', 20_000);
  const gaps = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThan(5_000 - HEARD_LATE_MS); // what Retry-After says
});

test('who is asked to wait waits as long as it says, and buys with the same tap', async ({ page, stack }) => {
  const sale = await makeSale(stack);
  const rule = { name: 'e2e-hall', action: 'order', subject: 'sale', limit: 1, windowSeconds: 4 };
  await stack.admin('PUT', '/admin/v1/limits', { reason: 'a test', shared: [rule] });
  try {
    await openSale(page, sale);
    const sent = purchases(page);
    // Somebody else takes the one place of these seconds.
    const { accessToken } = await (await fetch(`${stack.shop}/api/v1/demo/buyers`, { method: 'POST' })).json() as { accessToken: string };
    const ticket = await fetch(`${stack.shop}/api/v1/sales/${sale}/tokens`, { method: 'POST', headers: { authorization: `Bearer ${accessToken}` } });
    const { token } = await ticket.json() as { token: string };
    const taken = () => fetch(`${stack.shop}/api/v1/sales/${sale}/orders`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token, item: SHOES.id, quantity: 1 }),
    });
    await expect.poll(async () => (await taken()).status).toBe(202);
    const answer = page.waitForResponse((response) => response.url().endsWith('/orders') && response.status() === 503);
    await buyButton(page).click();
    const wait = Number((await answer).headers()['retry-after']);
    await says(page, 'Very many people are buying right now.');
    await expect(page.locator('.panel button')).toHaveText(/Again in \d s/);
    await says(page, 'The order is yours', 20_000);
    expect((sent[1]?.at ?? 0) - (sent[0]?.at ?? 0)).toBeGreaterThan(wait * 1_000 - HEARD_LATE_MS);
    expect(new Set(sent.map(({ token: one }) => one)).size).toBe(1);
  } finally {
    await stack.admin('PUT', '/admin/v1/limits', { reason: 'a test', remove: [rule.name] });
  }
});

test('limits changed live: what they held up goes through when they are lifted', async ({ page, stack }) => {
  const sale = await makeSale(stack);
  const rule = { name: 'e2e-gate', action: 'token', subject: 'sale', limit: 1, windowSeconds: 600 };
  await stack.admin('PUT', '/admin/v1/limits', { reason: 'a test', shared: [rule] });
  try {
    const { accessToken } = await (await fetch(`${stack.shop}/api/v1/demo/buyers`, { method: 'POST' })).json() as { accessToken: string };
    const first = () => fetch(`${stack.shop}/api/v1/sales/${sale}/tokens`, { method: 'POST', headers: { authorization: `Bearer ${accessToken}` } });
    await expect.poll(async () => (await first()).status).toBe(503); // the one place is taken
    await openSale(page, sale);
    await buyButton(page).click();
    await says(page, 'Very many people are buying right now.');
    await expect(page.locator('.panel button')).toHaveText(/Again in \d\d:\d\d/); // told, and not waited for
  } finally {
    await stack.admin('PUT', '/admin/v1/limits', { reason: 'a test', remove: [rule.name] });
  }
  await page.reload();
  await buyButton(page).click();
  await says(page, 'The order is yours');
});

test('an order that nobody pays ends, and says so without a reload', async ({ page, stack }) => {
  test.setTimeout(90_000);
  const sale = await makeSale(stack, { paymentWindow: 12 });
  await openSale(page, sale);
  await buyButton(page).click();
  await says(page, 'The order is yours');
  await page.getByRole('link', { name: 'Go to payment' }).click();
  await expect(page.getByText('Less than two minutes are left to pay.').first()).toBeVisible();
  await says(page, 'The time to pay is over', 45_000);
  await expect.poll(async () => (await ordersOf(page))[0]?.status, { timeout: 45_000 }).toBe('expired');
});

test('several of one item, and the total that goes with them', async ({ page, stack }) => {
  const sale = await makeSale(stack, { limit: 3, items: [SHOES, { id: 'lamp', title: 'Reading lamp', price: 12_900, stock: 9 }] });
  await openSale(page, sale);
  await page.getByText('Reading lamp').click();
  await page.getByLabel('Quantity').selectOption('3');
  await expect(page.locator('.quantity')).toContainText('387.00');
  await buyButton(page).click();
  await says(page, 'The order is yours');
  await pays(page);
  expect(await ordersOf(page)).toMatchObject([{ item: 'lamp', quantity: 3, status: 'paid' }]);
});
