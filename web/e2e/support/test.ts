// Playwright's `test` with a shop: one for all tests of a worker, of the kind that the project names.
import { test as base } from '@playwright/test';
import { type Kind, type Stack, startStack } from './stack';

export const test = base.extend<{ baseURL: string }, { kind: Kind; stack: Stack }>({
  kind: ['embedded', { option: true, scope: 'worker' }],
  stack: [async ({ kind }, use) => {
    const stack = await startStack(kind);
    await use(stack);
    await stack.stop();
  }, { scope: 'worker', timeout: 180_000 }],
  baseURL: async ({ stack }, use) => use(stack.shop),
});

export { expect, type BrowserContext, type Page } from '@playwright/test';
