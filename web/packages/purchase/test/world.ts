// A browser and a shop for tests: time stands still except while somebody sleeps, and the shop says what it was told to.
import { createPurchase, type Job, type Login, type News, type Options, type Purchase, type Store, type Ticket, unshared } from '../src/index';

export const START = Date.parse('2026-11-21T12:00:00Z');
export const JOB = '0193-job';

export interface Asked { method: string; path: string; body: any; headers: Record<string, string>; at: number }
type Reply = (asked: Asked) => Response | Promise<Response>;

export const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });

/** A problem as the shop answers it. */
export const problem = (code: string, extra: object = {}, retryAfter?: number): Reply => () =>
  json(409, { code, title: code, detail: `because ${code}`, requestId: 'r1', ...extra },
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) });

export const silence: Reply = () => Promise.reject(new TypeError('network'));

export const job = (status: Job['status'], more: Partial<Job> = {}): Job =>
  ({ jobId: JOB, sale: 's1', item: 'red', quantity: 1, status, message: status, pollAfterMs: 1_500, ...more });
export const accepted: Reply = () => json(202, job('queued'), { 'retry-after': '1' });
export const placed: Reply = () => json(200, job('placed', { orderUrl: `/api/v1/orders/${JOB}` }));

/** A stream that says these things and then ends. */
export const stream = (...jobs: Job[]): Reply => () =>
  new Response(jobs.map((one) => `: still here\n\nevent: job\ndata: ${JSON.stringify(one)}\n\n`).join(''));

export function store(): Store & { all: Map<string, string> } {
  const all = new Map<string, string>();
  return {
    all,
    getItem: (key) => all.get(key) ?? null,
    setItem: (key, value) => void all.set(key, value),
    removeItem: (key) => void all.delete(key),
  };
}

/** What the tabs of one browser share. */
export function browserOf() {
  const listeners = new Set<(news: News) => void>();
  return { shared: unshared(), listeners };
}

export class World {
  now = START;
  readonly asked: Asked[] = [];
  readonly slept: number[] = [];
  readonly seen: string[] = [];
  session = store();
  logins: (Login | undefined)[] = [{ buyer: 'ann', accessToken: 'jwt' }];
  renewals = 0;
  offline: Promise<void> | undefined;
  /** Answers by route, used up one after the other; the last one stays. */
  replies: Record<'tokens' | 'orders' | 'jobs' | 'events', Reply[]> = {
    tokens: [() => json(201, this.ticket())], orders: [accepted], jobs: [placed], events: [stream(job('queued'), job('placed', { orderUrl: `/api/v1/orders/${JOB}` }))],
  };
  private issued = 0;

  constructor(readonly browser = browserOf(), private readonly more: Partial<Options> = {}) {}

  ticket(): Ticket {
    this.issued += 1;
    return {
      token: `token-${this.issued}`, jobId: JOB, notBefore: new Date(this.now).toISOString(),
      expiresAt: new Date(this.now + 120_000).toISOString(),
    };
  }

  /** Requests of one kind. */
  of(kind: keyof World['replies']) {
    return this.asked.filter(({ path }) => path.endsWith(`/${kind}`) || (kind === 'jobs' && /\/jobs\/[^/]+$/.test(path)));
  }

  /** A tab that shows the sale. */
  tab(): Purchase {
    const { shared, listeners } = this.browser;
    let own: ((news: News) => void) | undefined;
    const purchase = createPurchase({
      sale: 's1',
      channel: 'web',
      login: async (renew) => {
        if (renew) this.renewals += 1;
        return this.logins[renew ? 1 : 0];
      },
      fetch: async (url, init) => this.answer(String(url), init),
      now: () => this.now,
      random: () => 0.5,
      sleep: async (ms, signal) => {
        signal.throwIfAborted();
        this.slept.push(ms);
        this.now += ms;
      },
      online: async () => this.offline,
      session: this.session,
      shared,
      tell: (news) => { for (const listener of listeners) if (listener !== own) listener(structuredClone(news)); },
      hear: (listener) => {
        own = listener;
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      subtle: crypto.subtle,
      ...this.more,
    });
    purchase.subscribe(() => this.seen.push(described(purchase)));
    return purchase;
  }

  private async answer(url: string, init?: RequestInit): Promise<Response> {
    const { pathname } = new URL(url, 'http://shop');
    const kind = (['tokens', 'orders', 'events'] as const).find((one) => pathname.endsWith(`/${one}`)) ?? 'jobs';
    const asked: Asked = {
      method: init?.method ?? 'GET', path: pathname, at: this.now,
      body: init?.body ? JSON.parse(String(init.body)) : undefined, headers: init?.headers as Record<string, string>,
    };
    this.asked.push(asked);
    const replies = this.replies[kind];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (!reply) throw new Error(`nothing to say to ${pathname}`);
    return reply(asked);
  }
}

const described = ({ state }: Purchase) => {
  switch (state.at) {
    case 'asking': return `asking ${state.step}`;
    case 'waiting': return `waiting ${state.problem.code}`;
    case 'refused': return `refused ${state.problem.code} ${state.next}`;
    default: return state.at;
  }
};
