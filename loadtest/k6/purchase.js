// VUS buyers at a time (default 50), one after the other, for DURATION (default 30s). Every iteration is a new buyer.
//
//   k6 run loadtest/k6/purchase.js
//   k6 run -e BODIES=$PWD/bodies.ndjson -e SALE=s1 -e ITEM=red-42 loadtest/k6/purchase.js
//
// Fails unless the books balance, every accepted job ends, and fewer than 1 % of the requests lack a proper answer.
import { SharedArray } from 'k6/data';
import { audit, begin, buy, thresholds } from './lib.js';
import { chooseSale } from './stack.js';

/** @typedef {import('./stack.js').Goods} Goods */

/** Units of a sale that the run makes for itself: few enough that the sold-out answer is met too. */
const STOCK = 1_000;

// One copy for all VUs: a bodies file can be large.
const minted = new SharedArray('minted bodies', () => {
  if (!__ENV.BODIES) return [];
  if (!__ENV.SALE) throw new Error('BODIES needs the SALE that they were minted for');
  return open(__ENV.BODIES).split('\n').filter((line) => line !== '');
});
const vus = Number(__ENV.VUS || 50);

/** Buyers who have begun may finish, so that every accepted job is judged. */
const gracefulStop = '60s';

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    buyers:
      minted.length > 0
        ? { executor: 'shared-iterations', vus: Math.min(vus, minted.length), iterations: minted.length, gracefulStop }
        : { executor: 'constant-vus', vus, duration: __ENV.DURATION || '30s', gracefulStop },
  },
  thresholds,
  // Longer than the books may take to settle.
  teardownTimeout: '2m',
};

/** @returns {Goods} */
export function setup() {
  begin();
  return chooseSale(STOCK);
}

/** @param {Goods} goods */
export default function (goods) {
  buy(goods, minted);
}

/** @param {Goods} goods */
export function teardown(goods) {
  audit(goods);
}
