/** Playwright's `test` with a stand-in for the operators' port, and an operator who is signed in to it. */

import { test as base } from '@playwright/test';
import { signIn } from '../support';
import { FakePort, KEY } from './server';

export const test = base.extend<{ port: FakePort; url: string; signedIn: undefined }>({
  port: async ({}, use) => {
    const port = new FakePort();
    await port.start();
    await use(port);
    await port.stop();
  },
  url: async ({ port }, use) => use(port.url),
  signedIn: async ({ page, url }, use) => {
    await signIn(page, url, KEY);
    await use(undefined);
  },
});

export { expect, type Page } from '@playwright/test';
