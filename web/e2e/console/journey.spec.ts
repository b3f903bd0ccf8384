/** An operator's day at the real port: from a wrong key to the report of a finished sale. */

import { randomBytes } from 'node:crypto';
import { makeSale } from '../support/sales';
import type { Stack } from '../support/stack';
import { expect, test } from '../support/test';
import { expectAccessible, sayWhy, signIn, visit } from './support';

test.use({ kind: 'servers' });

/** As many buyers buy one unit each, one after the other. */
async function buy({ shop }: Stack, sale: string, buyers: number): Promise<string[]> {
  const jobs: string[] = [];
  const post = async (path: string, body: unknown, token?: string) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${shop}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as Record<string, string>;
  };
  for (let n = 0; n < buyers; n += 1) {
    const { accessToken = '' } = await post('/api/v1/demo/buyers', {});
    const { token = '' } = await post(`/api/v1/sales/${sale}/tokens`, {}, accessToken);
    const { jobId } = await post(`/api/v1/sales/${sale}/orders`, { token, item: 'red-42', quantity: 1 });
    if (jobId) jobs.push(jobId);
  }
  return jobs;
}

test('a sale from its draft to its report', async ({ page, stack }) => {
  test.setTimeout(180_000);
  const id = `day-${randomBytes(3).toString('hex')}`;
  // The stack of a developer has some limits off, and readiness says so. Nobody here asks as often as this.
  const on = { enabled: true, perSecond: 1_000, burst: 1_000 };
  await stack.admin('PUT', '/admin/v1/limits', { local: { perIp: on, tokenPerBuyer: on, orderPerBuyer: on, status: on }, reason: 'a test' });
  await page.goto(stack.operators);
  await page.locator('input[type=password]').fill('not-the-key');
  await page.locator('input[type=password]').press('Enter');
  await expect(page.getByRole('alert')).toHaveText('That is not the admin key.');
  await signIn(page, stack.operators, stack.adminKey);

  await test.step('create', async () => {
    await page.getByRole('link', { name: 'New sale' }).click();
    await page.getByLabel('Id', { exact: true }).fill(id);
    await page.getByLabel('Title', { exact: true }).fill('A day’s sale');
    // The window is in the operator's own zone, and open already.
    const local = (ms: number) => page.evaluate((at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19), ms);
    await page.getByLabel('Opens').fill(await local(Date.now() - 60_000));
    await page.getByLabel('Closes').fill(await local(Date.now() + 3_600_000));
    await page.getByLabel('Item id').fill('red-42');
    await page.getByLabel('Item title').fill('Red shoe, 42');
    await page.getByLabel('Price').fill('199.00');
    await page.getByLabel('Units', { exact: true }).fill('50');
    await page.getByRole('button', { name: 'Create the draft…' }).click();
    await sayWhy(page, 'the day begins', 'Create the draft');
    await expect(page.getByRole('heading', { name: 'Next step' })).toBeVisible();
  });

  await test.step('warm, compare, dry run: ready', async () => {
    await page.getByRole('button', { name: 'Warm…' }).click();
    await sayWhy(page, 'half an hour before', 'Warm now');
    await expect(page.getByText('The sale is warm: 50 units loaded.')).toBeVisible();
    await page.getByRole('link', { name: 'Ready to open?' }).click();
    await expect(page.locator('.checks li')).toHaveCount(12);
    await expect(page.locator('.todo').first()).toBeVisible();
    await page.getByRole('button', { name: 'Compare the books…' }).click();
    await sayWhy(page, 'before the opening', 'Compare now');
    await page.getByRole('button', { name: 'Dry run…' }).click();
    await sayWhy(page, 'before the opening', 'Make the dry run');
    await expect(page.getByText('The dry run went the whole way')).toBeVisible({ timeout: 20_000 });
    await expect(page.locator('.checks li.bad strong')).toHaveText([]);
    await expect(page.getByText('Everything is ready.')).toBeVisible();
    await expectAccessible(page, 'ready');
    await page.screenshot({ path: 'e2e/screenshots/console/real-ready.png', fullPage: true });
  });

  await test.step('open, and watch it move', async () => {
    await page.getByRole('link', { name: 'Do', exact: true }).click();
    await page.getByRole('button', { name: 'Open…' }).click();
    await sayWhy(page, 'it is time', 'Open the sale');
    await expect(page.getByText('The sale is open within its window.')).toBeVisible();
    await page.getByRole('link', { name: 'Live' }).click();
    await expect(page.locator('.tile.free b')).toHaveText('50');
    expect(await buy(stack, id, 12)).toHaveLength(12);
    await expect(page.locator('.tile.free b')).toHaveText('38');
    await expect(page.locator('.tile.held b')).toHaveText('12');
    await expect(page.locator('.funnel')).toContainText('12 asked');
    await expect(page.locator('.age')).toContainText('Live');
    await expectAccessible(page, 'live');
    await page.screenshot({ path: 'e2e/screenshots/console/real-live.png' });
  });

  await test.step('pause and resume', async () => {
    await page.getByRole('link', { name: 'Do', exact: true }).click();
    await page.getByRole('button', { name: 'Pause…' }).click();
    await sayWhy(page, 'a breath', 'Pause the sale');
    await expect(page.getByText('The sale is paused.', { exact: true })).toBeVisible();
    expect(await buy(stack, id, 1)).toEqual([]);
    await page.getByRole('button', { name: 'Resume…' }).click();
    await sayWhy(page, 'on we go', 'Resume the sale');
    await expect(page.getByText('The sale takes purchases again.')).toBeVisible();
    expect(await buy(stack, id, 1)).toHaveLength(1);
  });

  await test.step('restock, then close for good', async () => {
    await page.getByRole('button', { name: 'Restock…' }).click();
    await page.getByLabel('Units to add').fill('5');
    await sayWhy(page, 'five more were found', 'Change the stock');
    await expect(page.getByText('The item now has 55 units in total.')).toBeVisible();
    await page.getByRole('button', { name: 'Close for good…' }).click();
    await sayWhy(page, 'the day ends', 'Go on…');
    await page.getByLabel(`Type “${id}” to go on`).fill(id);
    await page.getByRole('button', { name: 'Close the sale for good' }).click();
    await expect(page.getByText('The sale is over.', { exact: true })).toBeVisible();
  });

  await test.step('the report and the log', async () => {
    await page.getByRole('link', { name: 'After' }).click();
    const tile = (name: string) => page.locator('.report .tile', { has: page.getByText(name, { exact: true }) }).locator('b');
    await expect(tile('Accepted')).toHaveText('13');
    await expect(tile('Sold')).toHaveText('13');
    await expect(page.locator('.report .bars')).toContainText('Paused');
    await expectAccessible(page, 'after');
    await page.screenshot({ path: 'e2e/screenshots/console/real-after.png' });
    await visit(page, `#/audit?sale=${id}`);
    await stack.admin('PUT', '/admin/v1/limits', { reset: true, reason: 'the test is over' });
    for (const reason of ['the day begins', 'half an hour before', 'it is time', 'a breath', 'on we go', 'five more were found', 'the day ends']) {
      await expect(page.getByText(reason, { exact: true }).first()).toBeVisible();
    }
  });
});

test('a buyer’s story is found by job, and its order is listed', async ({ page, stack }) => {
  const sale = await makeSale(stack);
  const [job = ''] = await buy(stack, sale, 1);
  await signIn(page, stack.operators, stack.adminKey, `#/find?q=${job}`);
  await expect(page.locator('.timeline')).toContainText('The order was written', { timeout: 20_000 });
  await visit(page, `#/sales/${sale}/repair`);
  await expect(page.getByRole('link', { name: job })).toBeVisible();
  await expect(page.getByText('The books balance')).toBeVisible();
  await expectAccessible(page, 'repair');
});

test('limits are changed at once, and taken back', async ({ page, stack }) => {
  await signIn(page, stack.operators, stack.adminKey, '#/limits');
  const burst = page.getByLabel('One address: At once');
  await expect(burst).toBeVisible();
  const before = await burst.inputValue();
  await burst.fill('7');
  await page.getByRole('button', { name: 'Review changes…' }).click();
  await sayWhy(page, 'bots', 'Put in force');
  await expect(page.getByText('In force.')).toBeVisible();
  const now = () => stack.admin<{ limits: { local: { perIp: { burst: number } } } }>('GET', '/admin/v1/limits');
  expect((await now()).limits.local.perIp.burst).toBe(7);
  await page.getByRole('button', { name: 'Revert…' }).first().click();
  await sayWhy(page, 'the bots are gone', 'Put in force');
  await expect(burst).toHaveValue(before);
  expect((await now()).limits.local.perIp.burst).toBe(Number(before));

  await page.getByLabel('All orders').fill('500');
  await page.getByRole('button', { name: 'Review changes…' }).click();
  await sayWhy(page, 'slow today', 'Put in force');
  await expect(page.getByText('In force.')).toBeVisible();
  // What was put in force before may still be said.
  const obeyed = async () => (await stack.admin<{ data: { global_max: number } }>('GET', '/api/v1/concurrency/config')).data.global_max;
  await expect.poll(obeyed).toBe(500);
  await page.getByRole('button', { name: 'Revert…' }).first().click();
  await sayWhy(page, 'quick again', 'Put in force');
  await expect(page.getByLabel('All orders')).toHaveValue('0');
  await expectAccessible(page, 'limits');
});

test('a system without dead letters says so', async ({ page, stack }) => {
  await signIn(page, stack.operators, stack.adminKey, '#/letters');
  await expect(page.getByText('There are none.')).toBeVisible();
});
