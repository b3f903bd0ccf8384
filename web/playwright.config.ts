import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import type { Kind } from './e2e/support/stack';

/** Debian's Chromium; another one with CHROMIUM=/path. Browsers are never downloaded. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  throw new Error(`${executablePath} is missing; install with: apt-get install chromium, or name another one: CHROMIUM=/path`);
}

export default defineConfig<object, { kind: Kind }>({
  testDir: 'e2e',
  outputDir: 'e2e/results',
  // Two cores are shared by two browsers and two shops: what takes so long hangs, and what fails once and passes then is
  // printed as flaky.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  retries: 1,
  fullyParallel: false,
  // Each has a shop of its own.
  workers: 2,
  forbidOnly: true,
  reporter: [['list']],
  projects: [
    // The program with everything inside it, where orders die with it, and the real servers. What a screen looks like is
    // the same on both.
    { name: 'embedded', testMatch: 'shop/**/*.spec.ts', testIgnore: '**/restart.spec.ts', use: { kind: 'embedded' } },
    { name: 'servers', testMatch: 'shop/**/*.spec.ts', testIgnore: '**/screens.spec.ts', use: { kind: 'servers' } },
    { name: 'console', testMatch: 'console/**/*.spec.ts' },
  ],
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] },
    locale: 'en-GB',
    timezoneId: 'Asia/Shanghai',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
});
