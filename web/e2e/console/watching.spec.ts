/** The live page: it moves, says how old it is, rests while nobody looks, and comes back. */

import { expect, type Page, test } from './fake/test';
import { visit } from './support';

const free = (page: Page) => page.locator('.tile.free b');

async function watch(page: Page, sale = 'running') {
  await visit(page, `#/sales/${sale}/live`);
  await expect(free(page)).toBeVisible();
}

/** What the browser says when another tab is brought to the front. */
async function hide(page: Page, hidden: boolean) {
  await page.evaluate((now) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => now });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

test('it moves once a second and says how fresh it is', async ({ page, signedIn: _ }) => {
  await watch(page);
  const first = await free(page).textContent();
  await expect(page.locator('.age')).toContainText('Live · updated');
  await expect(free(page)).not.toHaveText(first ?? '');
  await expect(page.locator('.burn-down canvas')).toBeVisible();
});

test('on a wide screen all of it is seen without scrolling', async ({ page, signedIn: _ }) => {
  await page.setViewportSize({ width: 1_280, height: 800 });
  await watch(page);
  const below = await page.locator('.live > .health').evaluate((panel) => panel.getBoundingClientRect().bottom);
  expect(below).toBeLessThanOrEqual(800);
});

test('hidden it lets go of the stream, and has the whole history when it is seen again', async ({ page, port, signedIn: _ }) => {
  await watch(page);
  await expect.poll(() => port.streams.size).toBe(1);
  await hide(page, true);
  await expect(page.locator('.age')).toHaveText('Paused while this tab is hidden');
  await expect.poll(() => port.streams.size).toBe(0);
  await hide(page, false);
  await expect(page.locator('.age')).toContainText('Live');
  await page.getByRole('button', { name: 'Where the units are: Numbers' }).click();
  expect(await page.locator('.burn-down tbody tr').count()).toBeGreaterThan(200);
});

test('a broken stream keeps the last numbers, says how old they are, and is opened again', async ({ page, port, signedIn: _ }) => {
  await watch(page);
  port.breakStreams(false);
  await expect(page.locator('.age')).toContainText('Reconnecting…');
  await expect(free(page)).toBeVisible();
  port.breakStreams(true);
  await expect(page.locator('.age')).toContainText('Live', { timeout: 15_000 });
});

test('a part that cannot be read is named, and keeps its last state', async ({ page, port, signedIn: _ }) => {
  await watch(page);
  port.missing = ['ledger'];
  await expect(page.getByText('Cannot be read right now: stock.')).toBeVisible();
  await expect(free(page)).toBeVisible();
});

test('the numbers of each chart are reachable as a table, by keyboard', async ({ page, signedIn: _ }) => {
  await watch(page);
  for (const [title, head] of [['Where the units are', 'Paid'], ['Requests per second', 'Refused'], ['How long it takes', '99%']] as const) {
    const button = page.getByRole('button', { name: `${title}: Numbers` });
    await button.focus();
    await page.keyboard.press('Enter');
    await expect(page.locator('.panel-table').getByRole('columnheader', { name: head, exact: true }).last()).toBeVisible();
    await page.getByRole('button', { name: `${title}: Chart` }).click();
  }
});

test('a dependency that is not well is said to be, in words', async ({ page, signedIn: _ }) => {
  await watch(page, 'off');
  await expect(page.locator('.facts li', { hasText: 'Postgres' })).toContainText('not well');
});

test('a sale that was never warm has nothing to watch', async ({ page, port, signedIn: _ }) => {
  await visit(page, '#/sales/draft/live');
  await expect(page.getByText('This sale was never warm')).toBeVisible();
  expect(port.streams.size).toBe(0);
});
