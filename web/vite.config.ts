import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const shop = process.env['SHOP'] ?? 'http://127.0.0.1:8080';
const operators = process.env['OPERATORS'] ?? 'http://127.0.0.1:8081';

/** While developing: `/` is the storefront, `/console` the console. In the product each has a port of its own. */
const shortNames: Plugin = {
  name: 'short-names',
  configureServer(server) {
    server.middlewares.use((request, _, next) => {
      if (request.url === '/') request.url = '/shop.html';
      if (request.url === '/console') request.url = '/console.html';
      next();
    });
  },
};

export default defineConfig({
  plugins: [react(), shortNames],
  resolve: { alias: { 'seckill-purchase': here('packages/purchase/src/index.ts') } },
  server: {
    proxy: {
      '/api/v1/concurrency': operators,
      '/api': shop,
      '/admin': operators,
    },
  },
  build: {
    target: 'es2022',
    // The content policy of our pages forbids inline scripts, inline styles and data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    rolldownOptions: {
      input: { shop: here('shop.html'), console: here('console.html') },
      // React changes seldom: a file of its own stays in caches when ours change.
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'base', test: /src\/(ui|i18n)\// },
          ],
        },
      },
    },
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'packages/*/test/**/*.test.ts'],
    environment: 'node',
  },
});
