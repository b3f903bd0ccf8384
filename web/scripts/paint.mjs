// When does a phone on a slow line see something? `npm run paint -- http://127.0.0.1:8080` (a running shop, default port
// otherwise). Slow 4G as Chromium's developer tools have it, the processor four times slower, caches empty.
import { chromium } from '@playwright/test';
import { total } from './storefront.mjs';

const SLOW_4G = { offline: false, latency: 562.5, downloadThroughput: 180_000, uploadThroughput: 84_375 };
const CPU_SLOWER = 4;
const RUNS = 7;

const shop = process.argv[2] ?? 'http://127.0.0.1:8080';
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const runs = [];
for (let run = 0; run < RUNS; run += 1) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', SLOW_4G);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWER });
  await page.goto(shop, { waitUntil: 'commit' });
  await page.locator('h1').waitFor();
  runs.push(await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    usable: performance.now(),
  })));
  await context.close();
}
await browser.close();

const told = (name) => {
  const sorted = runs.map((run) => Math.round(run[name])).sort((a, b) => a - b);
  return `${sorted[Math.floor(RUNS / 2)]} ms (${sorted[0]} … ${sorted[RUNS - 1]})`;
};
console.log(`scripts                 ${total()} bytes gzipped`);
console.log(`first contentful paint  ${told('paint')}`);
console.log(`the sales are there     ${told('usable')}`);
console.log(`median of ${RUNS}, Slow 4G, processor ${CPU_SLOWER} times slower, ${browser.version()}`);
