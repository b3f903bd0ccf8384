// Fails when the storefront's scripts have grown beyond what a slow phone should be asked to fetch.
import { scripts, total } from './storefront.mjs';

const BYTES_MAX = 90_000;

for (const { name, bytes } of scripts()) console.log(`${name}  ${bytes} bytes gzipped`);
console.log(`storefront  ${total()} of ${BYTES_MAX} bytes`);
if (total() > BYTES_MAX) {
  console.error('The storefront is too large.');
  process.exit(1);
}
