/** Sales that exist only in these tests, each in a state that a real one is hard to bring into on demand. */

import type { Concurrency, DeadLetter, LedgerLine, Limits, LiveEvent, Point, Readiness, Report, Sale, Story } from '../../../src/console/api/types';

const MINUTE_MS = 60_000;
const at = (ms: number) => new Date(ms).toISOString();
const price = (amount: number) => ({ amount, currency: 'CNY' });

export interface FakeSale {
  sale: Sale;
  lines: LedgerLine[];
  startedAt: number;
}

function sale(id: string, title: string, more: Partial<Sale>, lines: LedgerLine[], startedAt: number): FakeSale {
  const now = Date.now();
  return {
    startedAt,
    lines,
    sale: {
      id, title, phase: 'draft', state: 'draft', epoch: 0, opensAt: at(now + 20 * MINUTE_MS), closesAt: at(now + 80 * MINUTE_MS),
      limitPerBuyer: 1, paymentWindowSeconds: 900,
      items: lines.map((line, index) => ({ id: line.id, title: index === 0 ? 'Trail shoe, red, 42' : 'Trail shoe, blue, 43', price: price(19_900), stock: line.stock })),
      ...more,
    },
  };
}

const line = (id: string, stock: number, queued: number, held: number, paid: number, difference = 0): LedgerLine =>
  ({ id, stock, free: stock - queued - held - paid - difference, unpublished: 0, queued, held, paid, difference });

export function firstSales(): Map<string, FakeSale> {
  const now = Date.now();
  const ended = { opensAt: at(now - 200 * MINUTE_MS), closesAt: at(now - 140 * MINUTE_MS) };
  const running = { opensAt: at(now - 5 * MINUTE_MS), closesAt: at(now + 55 * MINUTE_MS) };
  const all = [
    sale('running', 'Autumn drop: trail shoes', { ...running, phase: 'open', state: 'open', epoch: 1 }, [line('red-42', 6_000, 40, 1_800, 2_100), line('blue-43', 4_000, 20, 900, 600)], now - 5 * MINUTE_MS),
    sale('draft', 'Winter jackets, first hundred', {}, [line('red-42', 100, 0, 0, 0)], now),
    sale('off', 'Gift boxes with a difference', { ...running, phase: 'paused', state: 'paused', epoch: 2 }, [line('red-42', 500, 0, 120, 80, 2), line('blue-43', 300, 0, 40, 60, -1)], now - 5 * MINUTE_MS),
    sale('over', 'Spring sale', { ...ended, phase: 'ended', state: 'closed', epoch: 1 }, [line('red-42', 1_000, 0, 0, 968), line('blue-43', 500, 0, 0, 500)], now - 200 * MINUTE_MS),
  ];
  return new Map(all.map((one) => [one.sale.id, one]));
}

/** A history that looks like a rush: a peak at the opening, then a long tail. */
export function history({ lines, startedAt }: FakeSale): { stepSeconds: number; points: Point[] } {
  const stock = lines.reduce((sum, { stock }) => sum + stock, 0);
  const [held, paid, queued] = (['held', 'paid', 'queued'] as const).map((level) => lines.reduce((sum, one) => sum + one[level], 0)) as [number, number, number];
  const points = Array.from({ length: 300 }, (_, second): Point => {
    const share = 1 - Math.exp(-second / 90);
    const rush = Math.exp(-((second - 8) ** 2) / 220) * 18_000 + 1_400 * Math.exp(-second / 160);
    const [nowHeld, nowPaid] = [Math.round(held * share), Math.round(paid * share * (second / 300))];
    const nowQueued = Math.round(queued + 900 * Math.exp(-((second - 10) ** 2) / 90));
    const accepted = Math.round(rush * 0.02);
    return {
      at: at(startedAt + second * 1_000), held: nowHeld, paid: nowPaid, queued: nowQueued, free: stock - nowHeld - nowPaid - nowQueued,
      asked: Math.round(rush), accepted, refused: Math.round(rush) - accepted, p99Ms: 4 + rush / 400 + 3 * Math.sin(second / 7),
    };
  });
  return { stepSeconds: 1, points };
}

/** One second of a sale; it sells a little while it is open. */
export function live(fake: FakeSale, missing?: string[]): LiveEvent {
  const open = fake.sale.phase === 'open';
  for (const one of fake.lines) {
    const step = open ? Math.min(one.free, 3) : 0;
    one.free -= step;
    one.held += Math.max(0, step - 1);
    one.paid += Math.min(1, step);
  }
  const now = Date.now();
  const event: LiveEvent = {
    at: at(now), phase: fake.sale.phase, opensAt: fake.sale.opensAt, closesAt: fake.sale.closesAt,
    items: fake.lines.map((one, index) => ({ ...one, title: fake.sale.items[index]?.title ?? one.id, soldOutAt: open ? at(now + (index + 9) * MINUTE_MS) : null })),
    funnel: {
      asked: 1_284_311, accepted: 5_460, repeated: 1_904,
      refused: { 'sale-not-open': 402_118, 'sold-out': 611_020, 'rate-limited': 240_313, 'limit-reached': 19_206, overloaded: 3_011, 'token-expired': 980, malformed: 299 },
    },
    perSecond: open ? { asked: 812.4, accepted: 6, refused: 806.4, placed: 5.5 } : { asked: 14, accepted: 0, refused: 14, placed: 0 },
    latencyMs: open ? { answer: { p50: 0.8, p95: 3.2, p99: 7.4 }, admit: { p50: 0.4, p95: 1.1, p99: 2.9 }, publish: { p50: 1.9, p95: 4.4, p99: 9.8 }, place: { p50: 38, p95: 92, p99: 140 } } : {},
    ledgerAgeMs: 340,
    activityAgeMs: 870,
    missing: [],
    queue: { depth: open ? 12 : 0, oldestSeconds: 0.3 },
    deadLetters: 3,
    gateways: [{ instance: 'gateway-1', ageMs: 320 }, { instance: 'gateway-2', ageMs: 710 }],
    dependencies: [{ name: 'redis', ok: true, ageMs: 410 }, { name: 'rabbitmq', ok: true, ageMs: 520 }, { name: 'postgres', ok: fake.sale.id !== 'off', ageMs: 690 }],
  };
  if (missing) {
    event.missing = missing;
    event.items = event.items?.map(({ id, title, stock }) => ({ id, title, stock })) ?? [];
    delete event.ledgerAgeMs;
  }
  return event;
}

export function readiness({ sale, lines }: FakeSale, dryRunDone: boolean): Readiness {
  const warm = sale.epoch > 0;
  const todo = (name: string, ok: boolean, detail: string, advice: string) => ({ name, ok, detail, ...(!ok && { todo: advice }) });
  const checks = [
    todo('database', true, 'It answered in 2 ms.', ''),
    todo('redis', true, 'It answered in 1 ms.', ''),
    todo('redis-settings', true, 'maxmemory-policy is noeviction, appendonly is on.', ''),
    todo('broker', true, 'It takes messages.', ''),
    todo('consumers', true, '4 consumers read the queue.', ''),
    todo('queue-empty', true, 'No message waits.', ''),
    todo('clocks', true, 'The largest difference is 3 ms.', ''),
    todo('limits', true, 'Version 4 is obeyed.', ''),
    todo('keys', true, 'Tokens are signed with key 2.', ''),
    todo('warm', warm, warm ? `Loaded in epoch ${sale.epoch}.` : 'It was not loaded into Redis yet.', 'Warm the sale.'),
    todo('dry-run', dryRunDone, dryRunDone ? 'It went the whole way just now.' : 'There was none yet.', 'Make a dry run.'),
    todo('reconcile', lines.every(({ difference }) => difference === 0), 'The books were compared 4 minutes ago.', 'Compare the books, and repair them.'),
  ];
  return { ready: checks.every(({ ok }) => ok), checkedAt: at(Date.now()), checks };
}

export function report({ sale, lines }: FakeSale): Report {
  const opens = Date.parse(sale.opensAt);
  return {
    sale: sale.id, title: sale.title, phase: sale.phase, opensAt: sale.opensAt, closesAt: sale.closesAt,
    asked: 2_410_887, accepted: 1_611, repeated: 730,
    refused: { 'sold-out': 1_990_216, 'sale-not-open': 301_980, 'rate-limited': 110_350, 'limit-reached': 6_000 },
    buyers: 1_590,
    items: lines.map((one, index) => ({
      id: one.id, title: sale.items[index]?.title ?? one.id, stock: one.stock, sold: one.held + one.paid, paid: one.paid, unpaid: one.held,
      returned: 71, revenue: price(one.paid * 19_900),
    })),
    expired: 118, cancelled: 25, rejected: 0, refunded: 2,
    soldOutAt: at(opens + 74_000), slowestMinute: { at: at(opens), p99Ms: 46, asked: 812_400 }, busiestSecond: { at: at(opens + 2_000), asked: 21_806 },
    ledgerDifference: 0,
  };
}

export const letters = (): DeadLetter[] => [
  { messageId: 'm-1', why: 'the database would not take it: value too long', explanation: 'Its job has ended as refused, if it had no order, and the units are for sale again. It can be read: the database would not take it. A replay is harmless; jobs that have ended stay as they are. When the reason is understood, discard it.', jobs: ['01939d2e-5a77-8c01-9b3a-3f5c2a7d9e10'], body: '[{"job":"01939d2e"}]' },
  { messageId: 'm-2', why: 'it cannot be read: unexpected end', explanation: 'It names no job, so nobody waits for it, and the units are for sale again. It cannot be read, and a replay would end here again. Discard it.', jobs: [], body: '\u0001not json' },
  { messageId: 'm-3', why: 'unknown schema 9', explanation: 'Those of its 2 jobs that had no order have ended as refused, and the units are for sale again. A newer version of this program wrote it: update the consumers first, then replay it for those of its jobs that have not ended; else discard it.', jobs: ['01939d2e-5a77-8c01-9b3a-3f5c2a7d9e11', '01939d2e-5a77-8c01-9b3a-3f5c2a7d9e12'], body: '\u0009[]' },
];

export const limits = (): Limits => ({
  local: {
    perIp: { enabled: true, perSecond: 20, burst: 40 }, tokenPerBuyer: { enabled: true, perSecond: 1, burst: 5 },
    orderPerBuyer: { enabled: true, perSecond: 2, burst: 5 }, status: { enabled: true, perSecond: 5, burst: 10 },
  },
  shared: [{ name: 'hall', action: 'order', subject: 'sale', algorithm: 'gcra', limit: 8_000, windowSeconds: 1 }],
});

export const concurrency = (): Concurrency => ({
  enabled: true, global_max: 0, account_max: 1, timeout: 300, platform_max: { douyin: 50 },
  task_type_max: { publish: 0, batch_publish: 2, rebuild: 1, reconcile: 1, refund: 4 },
});

export function stories(text: string): Story[] {
  const now = Date.now();
  const job = '01939d2e-5a77-8c01-9b3a-3f5c2a7d9e10';
  if (text !== job && text !== 'buyer-7') return [];
  return [{
    kind: text === job ? 'order' : 'buyer', sale: 'running', buyer: 'buyer-7', jobId: job, status: 'paid',
    story: [
      { at: at(now - 240_000), what: 'tokenIssued' },
      { at: at(now - 236_000), what: 'admitted', detail: 'red-42, 1 unit' },
      { at: at(now - 235_950), what: 'published' },
      { at: at(now - 235_800), what: 'placed' },
      { at: at(now - 60_000), what: 'paymentReceived' },
      { at: at(now - 59_900), what: 'paid' },
    ],
  }];
}
