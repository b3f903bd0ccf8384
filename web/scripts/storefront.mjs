import { readFileSync, statSync } from 'node:fs';

/** The scripts that the storefront needs before it works, with their gzipped sizes in bytes. */
export function scripts() {
  const page = readFileSync('dist/shop.html', 'utf8');
  return [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)]
    .map(([, name]) => ({ name, bytes: statSync(`dist/${name}.gz`).size }));
}

export const total = () => scripts().reduce((sum, { bytes }) => sum + bytes, 0);
