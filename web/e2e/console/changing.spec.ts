/** What operators change: each change is asked about, needs a reason, and is in the log. */

import { expect, test } from './fake/test';
import { sayWhy, visit } from './support';

test.use({ timezoneId: 'Asia/Shanghai' });

test('a sale is created by a form that says what is wrong with it', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/new');
  await page.getByRole('button', { name: 'Create the draft…' }).click();
  await expect(page.getByText('6 fields need your attention.')).toBeVisible();
  await expect(page.getByLabel('Id', { exact: true })).toBeFocused();
  await page.getByLabel('Id', { exact: true }).fill('black-friday');
  await page.getByLabel('Title', { exact: true }).fill('Black Friday');
  await page.getByLabel('Opens').fill('2030-11-29T00:00');
  await page.getByLabel('Closes').fill('2030-11-28T00:00');
  await expect(page.getByText('28 Nov 2030, 16:00:00 UTC')).toBeVisible();
  await expect(page.getByText('The sale has to close after it opens.')).toBeVisible();
  await page.getByLabel('Closes').fill('2030-11-30T00:00');
  await page.getByLabel('Item id').fill('red-42');
  await page.getByLabel('Item title').fill('Red shoe');
  await page.getByLabel('Price').fill('199.005');
  await page.getByLabel('Units', { exact: true }).fill('100');
  await expect(page.getByText('no more decimals than the currency has')).toBeVisible();
  await page.getByLabel('Price').fill('199.00');
  await page.getByRole('button', { name: 'Create the draft…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Create the draft' }).click();
  await expect(page.getByText('Say why.')).toBeVisible();
  await sayWhy(page, 'the big day', 'Create the draft');
  await expect(page.getByRole('heading', { name: 'Next step' })).toBeVisible();
  expect(port.sales.get('black-friday')?.sale).toMatchObject({
    title: 'Black Friday', opensAt: '2030-11-28T16:00:00.000Z', closesAt: '2030-11-29T16:00:00.000Z',
    items: [{ id: 'red-42', price: { amount: 19_900, currency: 'CNY' }, stock: 100 }],
  });
  expect(port.audit[0]).toMatchObject({ action: 'create', reason: 'the big day' });
});

test('a change of a sale shows old and new before it is made, and sends only that', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/sales/running/edit');
  await expect(page.getByLabel('Price').first()).toBeDisabled();
  await page.getByLabel('Title', { exact: true }).fill('Autumn drop, second day');
  await page.getByRole('button', { name: 'Save changes…' }).click();
  const row = page.getByRole('dialog').getByRole('row', { name: /Title/ });
  await expect(row).toContainText('Autumn drop: trail shoes');
  await expect(row).toContainText('Autumn drop, second day');
  await sayWhy(page, 'a second day', 'Save the changes');
  await expect(page.getByRole('heading', { name: 'Autumn drop, second day' })).toBeVisible();
  expect(port.audit[0]).toMatchObject({ action: 'patch', after: { title: 'Autumn drop, second day' } });
});

test('closing asks twice, and the second time for the id', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/sales/running/do');
  await page.getByRole('button', { name: 'Close for good…' }).click();
  await sayWhy(page, 'all gone', 'Go on…');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('This cannot be taken back');
  await expect(dialog.getByLabel('Type “running” to go on')).toBeFocused();
  await dialog.getByRole('button', { name: 'Close the sale for good' }).click();
  await expect(dialog.getByText('That is not the id.')).toBeVisible();
  expect(port.sales.get('running')?.sale.state).toBe('open');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  expect(port.sales.get('running')?.sale.state).toBe('open');

  await page.getByRole('button', { name: 'Close for good…' }).click();
  await sayWhy(page, 'all gone', 'Go on…');
  await dialog.getByLabel('Type “running” to go on').fill('running');
  await dialog.getByRole('button', { name: 'Close the sale for good' }).click();
  await expect(page.getByText('The sale is over.', { exact: true })).toBeVisible();
  expect(port.sales.get('running')?.sale.state).toBe('closed');
  expect(port.unguarded, 'writes without the CSRF token').toBe(0);
});

test('what a server refuses is told in the dialog, and nothing is lost', async ({ page, signedIn: _ }) => {
  await visit(page, '#/sales/running/do');
  await page.route('**/pause', (route) => route.fulfill({
    status: 503, headers: { 'Retry-After': '2' }, contentType: 'application/problem+json',
    body: JSON.stringify({ code: 'outcome-unknown', detail: 'The database did not answer in time.', requestId: 'r-77' }),
  }));
  await page.getByRole('button', { name: 'Pause…' }).click();
  await sayWhy(page, 'too fast', 'Pause the sale');
  const alert = page.getByRole('dialog').getByRole('alert');
  await expect(alert).toContainText('The database did not answer in time.');
  await expect(alert).toContainText('It is not known whether this was done.');
  await expect(alert).toContainText('r-77');
  await expect(page.getByRole('dialog').getByLabel('Reason')).toHaveValue('too fast');
});

test('limits are changed from old to new, and taken back', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/limits');
  await page.getByLabel('One address: At once').fill('0');
  await expect(page.getByText('Some numbers are impossible.')).toBeVisible();
  await page.getByLabel('One address: At once').fill('8');
  await page.getByLabel('Purchases of one buyer: On').uncheck();
  await expect(page.getByText('2 changes, not in force yet')).toBeVisible();
  await page.getByRole('button', { name: 'Review changes…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('row', { name: /One address: at once/ })).toContainText('408');
  await expect(dialog).toContainText('every other one within a second');
  await expect(dialog).toContainText('gateway-1, gateway-2');
  await sayWhy(page, 'bots', 'Put in force');
  await expect(page.getByText('In force.')).toBeVisible();
  expect(port.limits.local.perIp.burst).toBe(8);
  expect(port.limits.local.orderPerBuyer.enabled).toBe(false);

  await page.getByRole('button', { name: 'Revert…' }).first().click();
  await sayWhy(page, 'the bots are gone', 'Put in force');
  await expect(page.getByLabel('One address: At once')).toHaveValue('40');
  expect(port.limits.local.perIp.burst).toBe(40);
  expect(port.audit.map(({ reason }) => reason)).toEqual(['the bots are gone', 'bots']);
});

test('what is under way is limited live, by channel too, and taken back from the list of changes', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/limits');
  await page.getByLabel('All orders').fill('500');
  await page.getByRole('button', { name: 'Add a channel' }).click();
  await page.getByLabel('Channel', { exact: true }).fill('app');
  await page.getByLabel('Channel app: Most').fill('30');
  await page.getByRole('button', { name: 'Review changes…' }).click();
  await expect(page.getByRole('dialog')).toContainText('Every instance obeys as soon as this is answered.');
  await sayWhy(page, 'the warehouse is slow', 'Put in force');
  await expect(page.getByText('In force.')).toBeVisible();
  expect(port.rules).toMatchObject({ global_max: 500, platform_max: { douyin: 50, app: 30 } });

  await page.reload();
  await page.getByRole('listitem').filter({ hasText: 'the warehouse is slow' }).getByRole('button', { name: 'Revert…' }).click();
  await sayWhy(page, 'it is quick again', 'Put in force');
  await expect(page.getByLabel('All orders')).toHaveValue('0');
  expect(port.rules).toMatchObject({ global_max: 0, platform_max: { app: 0 } });
});
