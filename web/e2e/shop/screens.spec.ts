/** Every screen of the storefront: looked at by axe, measured for what sticks out, and kept as a picture. */
import AxeBuilder from '@axe-core/playwright';
import type { Page, Route } from '@playwright/test';
import { makeSale, SHOES } from '../support/sales';
import { expect, test } from '../support/test';

const SIZES = [{ width: 390, height: 844 }, { width: 1_280, height: 800 }];
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const ITEMS = [
  { id: 'red-42', title: 'Red running shoes, size 42', price: 19_900, stock: 20 },
  { id: 'kettle', title: 'Kettle of brushed steel', price: 34_900, stock: 50 },
  { id: 'lamp', title: 'Reading lamp', price: 12_900, stock: 30 },
];
const IN_TEN_MINUTES = () => new Date(Date.now() + 600_000).toISOString();

/** Answers of the purchase route that lead to each screen. The shop itself shows the others in the other specs. */
const REFUSALS: Record<string, { status: number; retryAfter?: number; extra?: () => object }> = {
  'sale-paused': { status: 503, retryAfter: 50 },
  'sale-not-open': { status: 409, retryAfter: 3_600 },
  'sale-ended': { status: 410 },
  'sold-out': { status: 409, extra: () => ({ mayReturnUntil: IN_TEN_MINUTES() }) },
  'limit-reached': { status: 409, extra: () => ({ limit: 1, jobId: '0193c0de-0000-7000-8000-000000000000' }) },
  'quota-exceeded': { status: 429, retryAfter: 20_000, extra: () => ({ quota: 'purchases', resetsAt: IN_TEN_MINUTES() }) },
  'quantity-invalid': { status: 422, extra: () => ({ limit: 2 }) },
  'token-mismatch': { status: 403 },
  'rate-limited': { status: 429, retryAfter: 90 },
  'overloaded': { status: 503, retryAfter: 30 },
  'not-ready': { status: 503, retryAfter: 100 },
  'outcome-unknown': { status: 503, retryAfter: 30, extra: () => ({ jobId: '0193c0de-0000-7000-8000-000000000000' }) },
  'unexpected': { status: 500 },
};

const refuse = (code: string) => (route: Route) => {
  const { status, retryAfter, extra } = REFUSALS[code] ?? { status: 500 };
  return route.fulfill({
    status, contentType: 'application/problem+json', ...(retryAfter !== undefined && { headers: { 'retry-after': String(retryAfter) } }),
    body: JSON.stringify({ type: `urn:seckill:problem:${code}`, code, title: code, detail: `${code}.`, status, retryable: false, requestId: 'req-7f3a91', ...extra?.() }),
  });
};

const BUY = /Buy now|立即抢购/;
const tapped = async (page: Page, sale: string) => {
  await page.goto(`/#/sales/${sale}`);
  await page.getByRole('button', { name: BUY }).click();
};

for (const locale of ['en-GB', 'zh-CN']) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(`${locale}, ${colorScheme}`, () => {
      test.use({ locale, colorScheme, reducedMotion: 'reduce' } as object);

      test('every screen is accessible, whole, and without an error', async ({ page, stack }) => {
        test.setTimeout(240_000);
        const wrong: string[] = [];
        page.on('pageerror', (error) => wrong.push(error.message));
        page.on('console', (message) => {
          if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
        });
        const axe = (locale === 'en-GB') === (colorScheme === 'light');
        const look = async (name: string) => {
          for (const size of SIZES) {
            await page.setViewportSize(size);
            await page.screenshot({ path: `e2e/screenshots/shop/${name}-${size.width}-${locale.slice(0, 2)}-${colorScheme}.png`, fullPage: true });
            const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
            expect.soft(inner, `${name} at ${size.width} sticks out sideways`).toBeLessThanOrEqual(outer ?? 0);
          }
          if (!axe) return;
          const { violations } = await new AxeBuilder({ page }).withTags(AXE_TAGS).analyze();
          expect.soft(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`), `axe on ${name}`).toEqual([]);
        };
        const heading = () => page.locator('.panel :is(h1, h2)');

        const soon = await makeSale(stack, { title: 'Opening at the full hour', opensIn: 3_725_000, closesIn: 7_200_000, items: ITEMS.slice(1) });
        const open = await makeSale(stack, { title: 'Evening sale', items: ITEMS, limit: 2 });
        const single = await makeSale(stack, { title: 'Running shoes', items: [SHOES] });
        const paused = await makeSale(stack, { title: 'Lamps', items: ITEMS.slice(2) });
        await stack.admin('POST', `/admin/v1/sales/${paused}/pause`, { reason: 'a test' });
        const over = await makeSale(stack, { title: 'Morning sale', items: ITEMS.slice(1, 2) });
        await stack.admin('POST', `/admin/v1/sales/${over}/close`, { reason: 'a test' });
        const gone = await makeSale(stack, { title: 'The last pair', items: [{ ...SHOES, stock: 0 }] });

        // Other tests have sold here before.
        const ours = [soon, open, single, paused, over, gone];
        await page.route('**/api/v1/sales', async (route) => {
          const { sales } = await (await route.fetch()).json() as { sales: { id: string }[] };
          await route.fulfill({ json: { sales: sales.filter(({ id }) => ours.includes(id)) } });
        });
        await page.goto('/');
        await expect(page.locator('.sale-card')).toHaveCount(ours.length);
        await look('sales');
        await page.unroute('**/api/v1/sales');
        await page.goto('/#/orders');
        await expect(page.locator('.empty')).toBeVisible();
        await look('orders-none');
        await page.goto('/#/nowhere');
        await look('nowhere');
        for (const [name, sale] of [['scheduled', soon], ['open', open], ['open-single', single], ['paused', paused], ['ended', over], ['sold-out', gone]] as const) {
          await page.goto(`/#/sales/${sale}`);
          await expect(page.locator('.panel')).toBeVisible();
          await look(`sale-${name}`);
        }

        await page.route('**/api/v1/sales/*/orders', () => undefined); // never answered
        await tapped(page, open);
        await expect(heading()).toHaveText(/Asking for your unit|正在为您抢购/);
        await look('asking');
        await page.unrouteAll({ behavior: 'ignoreErrors' });

        for (const code of Object.keys(REFUSALS)) {
          const sale = await makeSale(stack, { title: 'Running shoes', limit: code === 'quantity-invalid' ? 2 : 1 });
          await page.route('**/api/v1/sales/*/orders', refuse(code));
          await tapped(page, sale);
          await expect(heading()).not.toHaveText(/Asking for your unit|正在为您抢购|The sale is open|现在开抢/);
          await look(`refused-${code}`);
          await page.unroute('**/api/v1/sales/*/orders');
        }

        await page.route('**/api/v1/jobs/**', (route) => route.abort());
        await tapped(page, single);
        await expect(heading()).toHaveText(/A unit is held for you|已为您留住一件/);
        await look('queued');
        await page.unroute('**/api/v1/jobs/**');
        await expect(heading()).toHaveText(/The order is yours|抢到了/);
        await look('placed');
        await page.getByRole('link', { name: /Go to payment|去付款/ }).click();
        await expect(page.locator('.order')).toBeVisible();
        await look('order-pending');
        await page.getByRole('button', { name: /Cancel order|取消订单/ }).click();
        await look('order-cancel');
        await page.getByRole('button', { name: /Keep it|保留订单/ }).click();
        await page.getByRole('button', { name: /^Pay|^付款/ }).click();
        await expect(heading()).toHaveText(/Paid. It is yours|已付款，归您了/);
        await look('order-paid');

        const hurried = await makeSale(stack, { title: 'Kettles', items: ITEMS.slice(1, 2), paymentWindow: 100 });
        await tapped(page, hurried);
        await page.getByRole('link', { name: /Go to payment|去付款/ }).click();
        await expect(page.getByText(/Less than two minutes|不足两分钟/).first()).toBeVisible();
        await look('order-hurry');
        const order = page.url();
        await page.goto('/#/orders');
        await expect(page.locator('.order-card.paid')).toBeVisible();
        await look('orders');
        await page.goto(order);
        await page.getByRole('button', { name: /Cancel order|取消订单/ }).click();
        await page.getByRole('button', { name: /Yes, cancel it|确认取消/ }).click();
        await expect(heading()).toHaveText(/You cancelled this order|您取消了该订单/);
        await look('order-cancelled');
        expect(wrong).toEqual([]);
      });
    });
  }
}
