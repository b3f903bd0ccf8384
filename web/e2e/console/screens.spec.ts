/** Every screen of the console, looked at by axe in both languages and both themes, and kept as a picture. */

import { expect, type Page, test } from '@playwright/test';
import { FakePort, KEY } from './fake/server';
import { expectAccessible, expectNothingCutOff, signIn, visit } from './support';

const SCREENS: { name: string; hash: string; seen: string; before?: (page: Page) => Promise<void> }[] = [
  { name: 'sales', hash: '#/', seen: '.sale-list li' },
  { name: 'new-sale', hash: '#/new', seen: '.item-fields' },
  { name: 'new-sale-wrong', hash: '#/new', seen: '.item-fields', before: (page) => page.locator('form button[type=submit]').click() },
  { name: 'edit-sale', hash: '#/sales/running/edit', seen: '.item-fields' },
  { name: 'ready-not', hash: '#/sales/draft/ready', seen: '.checks li' },
  { name: 'ready', hash: '#/sales/running/ready', seen: '.checks li' },
  { name: 'live', hash: '#/sales/running/live', seen: '.burn-down canvas' },
  { name: 'live-tables', hash: '#/sales/running/live', seen: '.burn-down canvas', before: async (page) => {
    for (const panel of ['.burn-down', '.rates', '.latency']) await page.locator(`${panel} .actions button`).click();
  } },
  { name: 'do', hash: '#/sales/running/do', seen: '.deeds li' },
  { name: 'do-draft', hash: '#/sales/draft/do', seen: '.deeds li' },
  { name: 'close-dialog', hash: '#/sales/running/do', seen: '.deeds li', before: (page) => page.locator('.deeds .danger').click() },
  { name: 'repair', hash: '#/sales/off/repair', seen: '.letters li' },
  { name: 'after', hash: '#/sales/over/after', seen: '.report .tile' },
  { name: 'limits', hash: '#/limits', seen: '.recent' },
  { name: 'letters', hash: '#/letters', seen: '.letters li' },
  { name: 'discard-dialog', hash: '#/letters', seen: '.letters li', before: async (page) => {
    await page.locator('.letters .danger').first().click();
    await page.locator('dialog .would').waitFor();
  } },
  { name: 'find', hash: '#/find?q=buyer-7', seen: '.timeline' },
  { name: 'find-nothing', hash: '#/find?q=nobody', seen: '.panel' },
  { name: 'audit', hash: '#/audit', seen: '.audit li' },
  { name: 'nowhere', hash: '#/nowhere', seen: 'h1' },
];

const WIDTHS = [{ width: 390, height: 844 }, { width: 1_280, height: 800 }];

/** Each theme, each language and each width is looked at once; with SCREENS=all every one of the eight ways. */
const LOOKS: Record<string, number> = { 'en-GB light': 1_280, 'zh-CN dark': 390 };
const ALL = process.env['SCREENS'] === 'all';

for (const locale of ['en-GB', 'zh-CN']) {
  for (const colorScheme of ['light', 'dark'] as const) {
    const lookedAt = LOOKS[`${locale} ${colorScheme}`];
    if (lookedAt === undefined && !ALL) continue;
    test.describe(`${locale}, ${colorScheme}`, () => {
      test.use({ locale, colorScheme });

      test('every screen is accessible, and nothing is cut off', async ({ page }) => {
        test.setTimeout(600_000);
        const sizes = WIDTHS.filter(({ width }) => ALL || width === lookedAt);
        const port = new FakePort();
        const url = await port.start();
        const wrong: string[] = [];
        page.on('console', (message) => { if (message.type() === 'error' && !message.text().includes('401')) wrong.push(message.text()); });
        page.on('pageerror', (error) => wrong.push(error.message));
        const shot = (name: string, width: number) =>
          page.screenshot({ path: `e2e/screenshots/console/${name}-${width}-${locale.slice(0, 2)}-${colorScheme}.png`, fullPage: true });
        try {
          await page.goto(url);
          for (const size of sizes) {
            await page.setViewportSize(size);
            await expect(page.locator('input[type=password]')).toBeVisible();
            if (lookedAt === size.width) await expectAccessible(page, 'login');
            await expectNothingCutOff(page, 'login');
            await shot('login', size.width);
          }
          await signIn(page, url, KEY);
          await somethingInTheLog(page);
          for (const { name, hash, seen, before } of SCREENS) {
            for (const size of sizes) {
              await page.setViewportSize(size);
              await visit(page, '#/nowhere');
              await visit(page, hash);
              await page.locator(seen).first().waitFor();
              await before?.(page);
              await page.waitForTimeout(150);
              await expectNothingCutOff(page, name);
              await shot(name, size.width);
              if (lookedAt === size.width) await expectAccessible(page, name);
            }
          }
          expect(wrong, 'errors in the browser’s console').toEqual([]);
        } finally {
          await port.stop();
        }
      });
    });
  }
}

/** Changes of limits, so that there is something to show and to take back. */
async function somethingInTheLog(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': 'csrf' };
    const put = (path: string, body: unknown) => fetch(path, { method: 'PUT', headers, body: JSON.stringify(body) });
    await put('/admin/v1/limits', { local: { perIp: { burst: 10 } }, reason: 'bots from one address' });
    await put('/admin/v1/limits', { local: { status: { burst: 20 } }, reason: 'a page that polls faster' });
    await put('/api/v1/concurrency/config', { global_max: 500, platform_max: { douyin: 20 }, reason: 'the warehouse is slow today' });
    await fetch('/admin/v1/sales/off/pause', { method: 'POST', headers, body: JSON.stringify({ reason: 'a difference in the books' }) });
  });
}
