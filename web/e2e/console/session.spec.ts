/** Who may come in, and what becomes of them when the session ends. */

import { KEY } from './fake/server';
import { expect, test } from './fake/test';
import { signIn } from './support';

const key = 'input[type=password]';

test('a wrong key is said to be wrong, and the right one opens the console for good', async ({ page, url }) => {
  await page.goto(url);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('Enter the admin key.', { exact: true })).toBeVisible();
  await page.locator(key).fill('not-the-key');
  await page.locator(key).press('Enter');
  await expect(page.getByRole('alert')).toHaveText('That is not the admin key.');
  await page.locator(key).fill(KEY);
  await page.locator(key).press('Enter');
  await expect(page.getByRole('heading', { name: 'Sales' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Sales' })).toBeVisible();
});

test('too many attempts are told how long to wait', async ({ page, url }) => {
  await page.route('**/admin/v1/session', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fulfill({ status: 429, headers: { 'Retry-After': '42' }, contentType: 'application/problem+json', body: JSON.stringify({ code: 'rate-limited', detail: 'x' }) });
  });
  await page.goto(url);
  await page.locator(key).fill('x');
  await page.locator(key).press('Enter');
  await expect(page.getByRole('alert')).toHaveText('Too many attempts from this address. Try again in 42 s.');
});

test('signing out closes the console, also after a reload', async ({ page, signedIn: _ }) => {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.locator(key)).toBeVisible();
  await page.reload();
  await expect(page.locator(key)).toBeVisible();
});

test('a session that ends meanwhile asks for the key again, and comes back to the same place', async ({ page, url, port }) => {
  await signIn(page, url, KEY, '#/limits');
  port.endSession();
  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.getByText('Your session has ended.')).toBeVisible();
  await page.locator(key).fill(KEY);
  await page.locator(key).press('Enter');
  await expect(page.getByRole('heading', { name: 'Audit log' })).toBeVisible();
});

test('a server that cannot be reached is not taken for a closed door', async ({ page, url }) => {
  await page.route('**/admin/v1/session', (route) => route.abort());
  await page.goto(url);
  await expect(page.getByRole('alert')).toContainText('No answer came.');
  await page.unroute('**/admin/v1/session');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator(key)).toBeVisible();
});

test('the language is chosen once', async ({ page, signedIn: _ }) => {
  await page.getByRole('button', { name: '中文' }).click();
  await expect(page.getByRole('heading', { name: '活动' })).toBeVisible();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
  await expect(page.getByRole('link', { name: '限流' })).toBeVisible();
});
