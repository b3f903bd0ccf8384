// One buyer's way through a sale, as a careful client goes it: buyer, token, purchase, poll until the job is terminal.
//
// What every scenario counts and is judged by is declared here. Which stack, and what its books say, is stack.js;
// what each answer means is codes.js.
import http from 'k6/http';
import exec from 'k6/execution';
import { check, sleep } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import { asDocumented, CODES, codeOf, retryAfter } from './codes.js';
import { faults, settledBooks, stack } from './stack.js';

/** @typedef {import('./stack.js').Goods} Goods */
/** @typedef {import('./codes.js').Answer} Answer */
/** @typedef {'buyer' | 'token' | 'order' | 'job'} Step the name of its requests in the summary */
/** @typedef {{ jobId: string, status: 'queued' | 'placed' | 'refused', pollAfterMs?: number }} Job */

/** Final answers to a purchase, tagged with their `code`. */
const purchases = new Counter('purchases');
/** Requests of buyers that got no proper answer: no connection, any 5xx, 429, or a code outside the contract. */
const errors = new Rate('errors');
/** Repeats that were asked for, tagged with their `code`. */
const repeats = new Counter('repeats');
/** Accepted jobs that were not terminal in time. */
const jobsUnfinished = new Rate('jobs_unfinished');
/** From the first purchase request to the terminal job: what the buyer lives through, in ms. */
const boughtIn = new Trend('bought_in', true);
/** 1 when the books balance at the end: settled, no difference, nothing sold above the stock. */
const booksBalance = new Rate('books_balance');

/** Repeats of one request; a stack that is away for longer has failed the run. */
const REPEATS_MAX = 20;
/** Milliseconds that an accepted job may take. */
const JOB_MS = 60_000;
/** A buyer gives up on one request after this. */
const TIMEOUT = '10s';
/** Between polls while a job does not say when to ask again, in ms. */
const POLL_MS = 500;

/** @type {Record<string, string[]>} What every run has to meet; the plans add to it. */
export const thresholds = {
  purchases: ['count>0'],
  errors: ['rate<0.01'],
  jobs_unfinished: ['rate==0'],
  books_balance: ['rate==1'],
  checks: ['rate==1'],
  // Always met: k6 prints a figure per code only where a threshold names it.
  ...Object.fromEntries(
    ['accepted', 'sold-out', 'limit-reached', 'sale-ended'].map((code) => [`purchases{code:${code}}`, ['count>=0']]),
  ),
};

/** This buyer's number in the run. */
function iteration() {
  return exec.scenario.iterationInTest;
}

/**
 * A distinct address for each buyer. It counts only where the gateway lists this machine among its trusted proxies;
 * elsewhere the header is ignored and all buyers share one address.
 */
function address() {
  const number = iteration();
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

/**
 * Sends, and repeats the same bytes as often and as late as the answers say. The token makes a repeat harmless.
 * @param {Step} step
 * @param {'GET' | 'POST'} method
 * @param {string} path
 * @param {string | null} body
 * @param {Record<string, string>} [headers]
 * @returns {{ answer: Answer, code: string }} the last answer and its code
 */
function send(step, method, path, body, headers = {}) {
  const params = {
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address(), ...headers },
    timeout: TIMEOUT,
    tags: { name: step },
  };
  for (let sent = 1; ; sent += 1) {
    const answer = /** @type {Answer} */ (http.request(method, stack.buyers + path, body, params));
    const code = codeOf(answer);
    const then = code === 'ok' ? 'final' : CODES[code]?.then;
    errors.add(then === undefined || then === 'later', { step, code });
    if (code !== 'ok') check(answer, { [`${code}: as documented`]: () => asDocumented(answer, code) });
    const wait = then === 'later' || then === 'wait' ? retryAfter(answer) : null;
    if (wait === null || sent > REPEATS_MAX) return { answer, code };
    repeats.add(1, { step, code });
    sleep(wait);
  }
}

/**
 * A buyer that nobody was before, and a token; `null` when the shop refused.
 * @param {Goods} goods
 * @returns {{ body: string, jobId: string } | null}
 */
function newBuyer(goods) {
  const buyer = send('buyer', 'POST', '/api/v1/demo/buyers', '{}');
  if (buyer.code !== 'ok') return null;
  const authorization = `Bearer ${buyer.answer.json('accessToken')}`;
  const path = `/api/v1/sales/${goods.sale}/tokens`;
  const { answer, code } = send('token', 'POST', path, '{"channel":"web"}', { authorization });
  if (code !== 'ok') return null;
  check(answer, { 'token: 201': () => answer.status === 201 });
  const body = JSON.stringify({ token: answer.json('token'), item: goods.item, quantity: 1 });
  return { body, jobId: String(answer.json('jobId')) };
}

/**
 * Sends a purchase and follows it to its end.
 * @param {Goods} goods
 * @param {string} body
 * @param {string} [jobId] as the token's answer named it
 */
function purchase(goods, body, jobId) {
  const began = Date.now();
  const { answer, code } = send('order', 'POST', `/api/v1/sales/${goods.sale}/orders`, body);
  purchases.add(1, { code: code === 'ok' ? 'accepted' : code });
  if (code !== 'ok') return;
  const job = jobIn(answer);
  check(answer, {
    'accepted: 202 and where the job is': () =>
      answer.status === 202 && answer.headers.Location === `/api/v1/jobs/${job.jobId}`,
    'accepted: the job that the token named': () => jobId === undefined || job.jobId === jobId,
  });
  const finished = follow(job, began);
  jobsUnfinished.add(!finished);
  if (finished) boughtIn.add(Date.now() - began);
}

/**
 * Polls as the job says; true when it ends in time, placed or refused.
 * @param {Job} job
 * @param {number} began
 */
function follow(job, began) {
  while (job.status === 'queued') {
    if (Date.now() - began > JOB_MS) return false;
    sleep((job.pollAfterMs ?? POLL_MS) / 1_000);
    const { answer, code } = send('job', 'GET', `/api/v1/jobs/${job.jobId}`, null);
    if (!check(code, { 'an accepted job is found': () => code === 'ok' })) return false;
    job = jobIn(answer);
  }
  return job.status === 'placed' || job.status === 'refused';
}

/** @param {Answer} answer @returns {Job} */
function jobIn(answer) {
  return /** @type {any} */ (answer.json());
}

/**
 * One buyer, once: the next minted body where there are some, else a new demo buyer.
 * @param {Goods} goods
 * @param {readonly string[]} minted one ready request body per line
 */
export function buy(goods, minted) {
  if (minted.length === 0) {
    const buyer = newBuyer(goods);
    if (buyer) purchase(goods, buyer.body, buyer.jobId);
  } else if (iteration() < minted.length) {
    purchase(goods, minted[iteration()]);
  }
}

/** A threshold without any sample counts as met, so the counter of purchases gets one that changes nothing. */
export function begin() {
  purchases.add(0);
}

/**
 * Prints the books once they are settled, and fails the run unless they balance.
 * @param {Goods} goods
 */
export function audit(goods) {
  let wrong = ['the ledger could not be read'];
  try {
    const books = settledBooks(goods.sale);
    for (const line of books.lines) console.log(`ledger ${goods.sale} ${JSON.stringify(line)}`);
    wrong = faults(books);
  } finally {
    booksBalance.add(wrong.length === 0);
    for (const fault of wrong) console.error(`the books do not balance: ${fault}`);
  }
}
