/** Differences, dead letters and stories. */

import { expect, test } from './fake/test';
import { sayWhy, visit } from './support';

test('a difference is explained, compared, and repaired after two questions', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/sales/off/repair');
  await expect(page.getByText('2 units missing')).toBeVisible();
  await expect(page.getByText('1 unit too many')).toBeVisible();
  await page.getByRole('button', { name: 'Compare the books…' }).click();
  await sayWhy(page, 'an alarm', 'Compare now');
  await expect(page.getByText('The gate counts 2 units for an order that does not exist.')).toBeVisible();
  await page.getByRole('button', { name: 'Repair…' }).click();
  await sayWhy(page, 'after the comparison', 'Go on…');
  await page.getByLabel('Type “off” to go on').fill('off');
  await page.getByRole('button', { name: 'Load it again' }).click();
  await expect(page.getByText('The sale was loaded again (load number 3).')).toBeVisible();
  await expect(page.getByText('The books balance')).toBeVisible();
  expect(port.unguarded).toBe(0);
});

test('a dead letter is replayed after seeing what that would do', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/letters');
  await page.getByRole('button', { name: 'Replay…' }).first().click();
  await expect(page.getByText('This would be done to one letter:')).toBeVisible();
  expect(port.letters).toHaveLength(3);
  await sayWhy(page, 'the column is longer now', 'Replay');
  await expect(page.getByText('One letter is back on the queue.')).toBeVisible();
  expect(port.letters.map(({ messageId }) => messageId)).toEqual(['m-2', 'm-3']);
});

test('letters are discarded only by who says that there is no way back', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/letters');
  await page.getByRole('button', { name: 'Discard all…' }).click();
  await expect(page.getByText('This would be done to 3 letters:')).toBeVisible();
  await sayWhy(page, 'understood', 'Go on…');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Discard for good' }).click();
  await expect(dialog.getByText('Tick the box to go on.')).toBeVisible();
  expect(port.letters).toHaveLength(3);
  await dialog.getByLabel('I understand that this cannot be taken back.').check();
  await dialog.getByRole('button', { name: 'Discard for good' }).click();
  await expect(page.getByText('3 letters are gone.')).toBeVisible();
  await expect(page.getByText('There are none.')).toBeVisible();
});

test('a letter that somebody else took meanwhile leaves nothing to do', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/letters');
  await expect(page.locator('.letters > li')).toHaveCount(3);
  port.letters = [];
  await page.getByRole('button', { name: 'Replay…' }).first().click();
  await expect(page.getByText('No letter fits any more')).toBeVisible();
  await expect(page.getByRole('dialog').getByRole('button')).toHaveText(['Close']);
});

test('a buyer’s story is found from anywhere, and has an address', async ({ page, signedIn: _ }) => {
  await visit(page, '#/find');
  await page.getByLabel('Order, job, buyer or request id').fill('  buyer-7 ');
  await page.keyboard.press('Enter');
  await expect(page.locator('.timeline li')).toHaveText([/Got a token/, /Was let through/, /Was handed/, /The order was written/, /A payment came in/, /Was paid/]);
  expect(page.url()).toContain('q=buyer-7');
  await page.getByLabel('Order, job, buyer or request id').fill('nobody');
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page.getByText('Nothing was found for “nobody”.')).toBeVisible();
  await page.goBack();
  await expect(page.locator('.timeline li')).toHaveCount(6);
});

test('orders are listed, and all of them come as a file', async ({ page, signedIn: _ }) => {
  await visit(page, '#/sales/running/repair');
  await expect(page.getByRole('cell', { name: 'Waits for payment' })).toBeVisible();
  await expect(page.getByRole('cell', { name: 'Refused · Sold out' })).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download all' }).click();
  expect((await download).suggestedFilename()).toBe('orders-running.ndjson');
});

test('not ready says what to do; a dry run shows its steps', async ({ page, signedIn: _ }) => {
  await visit(page, '#/sales/running/ready');
  await expect(page.getByText('One thing is not ready.')).toBeVisible();
  await expect(page.locator('.todo')).toHaveText('To do: Make a dry run.');
  await page.getByRole('button', { name: 'Dry run…' }).click();
  await sayWhy(page, 'before the opening', 'Make the dry run');
  await expect(page.getByText('The dry run went the whole way in 64 ms.')).toBeVisible();
  await expect(page.getByText('Everything is ready. You can open the sale.')).toBeVisible();
  await expect(page.getByRole('row')).toHaveCount(7);
});
