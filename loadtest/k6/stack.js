// Which stack a run talks to, and what its operators' port says before and after.
//
// Reads run.json (`RUN`, default `.seckill/run.json` of the repository). `BUYERS`, `OPERATORS` and `ADMIN_KEY` override
// what it says, so the file is optional. Only this machine is ever a target, unless `ALLOW_REMOTE=1`.
import http from 'k6/http';
import { fail, sleep } from 'k6';

/** @typedef {{ buyers: string, operators: string, adminKey: string }} Stack */
/** @typedef {{ sale: string, item: string }} Goods */
/** @typedef {{ id: string, stock: number, free: number, unpublished: number, queued: number, held: number,
 *              paid: number, difference: number }} Line one item of the ledger, in units */
/** @typedef {{ settled: boolean, lines: Line[] }} Books */

/** Seconds that what was accepted may take to be placed once the load has ended. */
const SETTLE_S = 60;
/** An operator's answer may take this long. */
const OPERATOR_TIMEOUT = '10s';

/** Files can only be read while k6 loads the script, so this is not a function of a run. @type {Stack} */
export const stack = readStack();

/** @returns {Stack} */
function readStack() {
  const path = __ENV.RUN || import.meta.resolve('../../.seckill/run.json');
  const given = { buyers: __ENV.BUYERS, operators: __ENV.OPERATORS, adminKey: __ENV.ADMIN_KEY };
  const complete = given.buyers && given.operators && given.adminKey;
  const file = complete ? {} : JSON.parse(open(path));
  const found = {
    buyers: given.buyers || file.buyers,
    operators: given.operators || file.operators,
    adminKey: given.adminKey || file.adminKey,
  };
  for (const url of [found.buyers, found.operators]) {
    if (__ENV.ALLOW_REMOTE !== '1' && !/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(url)) {
      throw new Error(`${url} is not this machine; set ALLOW_REMOTE=1 if that is meant`);
    }
  }
  return found;
}

/**
 * Asks the operators' port; anything but a 2xx ends the run, because nothing could be judged without it.
 * @param {'GET' | 'POST'} method
 * @param {string} path
 * @param {object} [body]
 */
function operator(method, path, body) {
  const answer = http.request(method, stack.operators + path, body ? JSON.stringify(body) : null, {
    headers: { authorization: `Bearer ${stack.adminKey}`, 'content-type': 'application/json' },
    timeout: OPERATOR_TIMEOUT,
    tags: { name: 'operator' },
  });
  if (answer.status < 200 || answer.status > 299) fail(`${method} ${path}: ${answer.status} ${answer.body}`);
  return answer;
}

/**
 * The sale that `SALE` and `ITEM` name; without them a new one, warm and open, so that a run starts from clean books.
 * @param {number} defaultStock units, unless `STOCK` says otherwise
 * @returns {Goods}
 */
export function chooseSale(defaultStock) {
  if (__ENV.SALE) {
    const lines = ledger(__ENV.SALE);
    return { sale: __ENV.SALE, item: __ENV.ITEM || lines[0].id };
  }
  const now = Date.now();
  const sale = `load-${now}`;
  operator('POST', '/admin/v1/sales', {
    id: sale,
    title: 'Load test',
    opensAt: new Date(now - 60_000).toISOString(),
    closesAt: new Date(now + 6 * 3_600_000).toISOString(),
    limitPerBuyer: 1,
    items: [
      {
        id: 'unit',
        title: 'One unit',
        price: { amount: 100, currency: 'CNY' },
        stock: Number(__ENV.STOCK || defaultStock),
      },
    ],
  });
  operator('POST', `/admin/v1/sales/${sale}/warm`, { reason: 'load test' });
  operator('POST', `/admin/v1/sales/${sale}/open`, { reason: 'load test' });
  return { sale, item: 'unit' };
}

/** @param {string} sale @returns {Line[]} */
function ledger(sale) {
  const answer = operator('GET', `/admin/v1/sales/${sale}/ledger`);
  return /** @type {any} */ (answer.json()).items;
}

/**
 * The books once nothing is under way any more, or as they stand after a minute.
 * @param {string} sale
 * @returns {Books}
 */
export function settledBooks(sale) {
  for (let waited = 0; ; waited += 1) {
    const lines = ledger(sale);
    const settled = lines.every((line) => line.unpublished === 0 && line.queued === 0);
    if (settled || waited >= SETTLE_S) return { settled, lines };
    sleep(1);
  }
}

/**
 * What is wrong with the books, in words; nothing when they balance.
 * @param {Books} books
 * @returns {string[]}
 */
export function faults(books) {
  const wrong = books.settled ? [] : [`not settled after ${SETTLE_S} s`];
  for (const line of books.lines) {
    const sold = line.held + line.paid;
    if (line.difference !== 0) wrong.push(`${line.id}: difference ${line.difference}`);
    if (sold > line.stock) wrong.push(`${line.id}: ${sold} sold of ${line.stock}`);
  }
  return wrong;
}

/**
 * Sum of all series of a metric whose labels match; `null` when there is none.
 * @param {string} text the exposition of `/metrics`
 * @param {string} name
 * @param {RegExp} [labels]
 */
export function metric(text, name, labels = /.*/) {
  let sum = null;
  for (const line of text.split('\n')) {
    const parts = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line);
    if (parts && parts[1] === name && labels.test(parts[2] || '')) sum = (sum ?? 0) + Number(parts[3]);
  }
  return sum;
}

/** The metrics of the gateway that serves the operators' port. */
export function metrics() {
  return String(operator('GET', '/metrics').body);
}
