// The three load plans and their five checks.
//
//   PLAN=ramp    10 buyers at a time, 10 more every 30 s, up to 1,000 (50 min)
//   PLAN=spike   1,000 at once, for 5 min
//   PLAN=soak    500, for 1 h
//
//   k6 run -e PLAN=spike -e FACTOR=10 loadtest/k6/plans.js
//
// FACTOR divides every duration, never the number of buyers; a shortened run says so. A buyer who has an order looks
// around for THINK_S seconds on average (2; half to one and a half times as long, at random) before the next one is
// bought; the first purchases of a spike fall together. THINK_S=0: all want the next thing at once, and what is
// measured on one machine is k6. The checks, as thresholds:
// p95 below 100 ms · fewer than 1 % errors · every accepted job terminal · database connections steady · reads answered
// without the database. The last two are read from /metrics of the gateway that serves the operators' port.
import { sleep } from 'k6';
import { Gauge, Rate } from 'k6/metrics';
import { audit, begin, buy, thresholds } from './lib.js';
import { chooseSale, metric, metrics } from './stack.js';

/** @typedef {import('./stack.js').Goods} Goods */
/** @typedef {{ requests: number, statements: number, timeouts: number, connections: number, most: number }} Usage */

/** Units of the sale: enough that buyers are accepted all the way through. */
const STOCK = 1_000_000;
/** Buyers at a time when the ramp begins, and how many join at each step. */
const RAMP_STEP = 10;
const RAMP_TOP = 1_000;
const RAMP_STEP_S = 30;

const factor = Number(__ENV.FACTOR || 1);
if (!(factor >= 1)) throw new Error(`FACTOR divides the durations: a number from 1, not ${__ENV.FACTOR}`);

const think = Number(__ENV.THINK_S ?? 2);
if (!(think >= 0)) throw new Error(`THINK_S is a number of seconds from 0, not ${__ENV.THINK_S}`);

/** @param {number} seconds */
const shortened = (seconds) => `${Math.max(1, Math.round((seconds * 1_000) / factor))}ms`;

/** Each step is a jump and a plateau: a bare target would be approached in a slope. */
function rampStages() {
  const stages = [];
  for (let target = RAMP_STEP; target <= RAMP_TOP; target += RAMP_STEP) {
    stages.push({ duration: '0s', target }, { duration: shortened(RAMP_STEP_S), target });
  }
  return stages;
}

/** @type {Record<string, import('k6/options').Scenario>} */
const plans = {
  ramp: { executor: 'ramping-vus', startVUs: RAMP_STEP, stages: rampStages(), gracefulStop: '60s' },
  spike: { executor: 'constant-vus', vus: 1_000, duration: shortened(5 * 60), gracefulStop: '60s' },
  soak: { executor: 'constant-vus', vus: 500, duration: shortened(60 * 60), gracefulStop: '60s' },
};
const name = __ENV.PLAN || 'spike';
const plan = plans[name];
if (!plan) throw new Error(`PLAN is one of ${Object.keys(plans).join(', ')}, not ${name}`);

/** 1 when no buyer's request had to wait in vain for a connection, and none was opened beyond the pool. */
const dbSteady = new Rate('db_connections_steady');
/** Share of the buyers' requests that needed no statement of their gateway in Postgres. */
const cacheHits = new Gauge('cache_hit_share');

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: { [name]: plan },
  thresholds: {
    ...thresholds,
    'http_req_duration{name:buyer}': ['p(95)<100'],
    'http_req_duration{name:token}': ['p(95)<100'],
    'http_req_duration{name:order}': ['p(95)<100'],
    'http_req_duration{name:job}': ['p(95)<100'],
    db_connections_steady: ['rate==1'],
    cache_hit_share: ['value>0.95'],
  },
  teardownTimeout: '2m',
};

/** What the gateway has used so far. A figure that it does not report is a failed run, not a good one. @returns {Usage} */
function usage() {
  const text = metrics();
  /** @param {string} metricName @param {RegExp} [labels] */
  const needed = (metricName, labels) => {
    const value = metric(text, metricName, labels);
    if (value === null) throw new Error(`/metrics does not report ${metricName}`);
    return value;
  };
  const pool = 'seckill_db_pool_connections';
  return {
    requests: metric(text, 'seckill_http_requests_total') ?? 0,
    statements: needed('seckill_db_query_seconds_count'),
    timeouts: metric(text, 'seckill_db_acquire_timeouts_total') ?? 0, // absent until the first one
    connections: needed(pool, /state="idle"/) + needed(pool, /state="used"/),
    most: needed(pool, /state="max"/),
  };
}

/** @returns {Goods & { before: Usage }} */
export function setup() {
  console.log(`plan ${name}, durations divided by ${factor}${factor === 1 ? ' (complete)' : ' (shortened)'}, ${think} s between purchases`);
  begin();
  return { ...chooseSale(STOCK), before: usage() };
}

/** @param {Goods} goods */
export default function (goods) {
  buy(goods, []);
  sleep(think * (0.5 + Math.random()));
}

/** @param {Goods & { before: Usage }} data */
export function teardown({ before, ...goods }) {
  audit(goods);
  let steady = false;
  let hits = 0;
  try {
    const after = usage();
    steady = after.timeouts === before.timeouts && after.connections <= after.most;
    hits = 1 - (after.statements - before.statements) / Math.max(1, after.requests - before.requests);
    console.log(`database connections ${before.connections} before, ${after.connections} after, ${after.most} at most`);
  } finally {
    dbSteady.add(steady);
    cacheHits.add(hits);
  }
}
