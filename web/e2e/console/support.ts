/** Steps that the console's specs share. */

import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

export async function signIn(page: Page, url: string, key: string, place = ''): Promise<void> {
  await page.goto(`${url}/${place}`);
  await page.locator('input[type=password]').fill(key);
  await page.locator('form button[type=submit]').click();
  await expect(page.locator('header.top')).toBeVisible();
}

/** Goes to a page of the console by its address. */
export async function visit(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => { window.location.hash = to; }, hash);
}

/** Everything that axe knows of WCAG 2.2 AA, and its best practices. */
export async function expectAccessible(page: Page, screen: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 5).map(({ html, failureSummary }) => `${html} — ${failureSummary}`).join('\n  ')}`);
  expect.soft(told, `axe on ${screen}`).toEqual([]);
}

/** Nothing may stick out sideways: whatever is too wide scrolls in itself. */
export async function expectNothingCutOff(page: Page, screen: string): Promise<void> {
  const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect.soft(inner, `${screen} scrolls sideways`).toBeLessThanOrEqual(outer ?? 0);
}

/** Fills in why, in the dialog that is open, and goes on. */
export async function sayWhy(page: Page, reason: string, button: string | RegExp): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.getByRole('button', { name: button }).click();
}
