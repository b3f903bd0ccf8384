/**
 * A stand-in for the operators' port: the built console, and the contract's routes over state in memory. It is for
 * looking at every screen, also those that a healthy system never shows; the real port has its own test beside this.
 */

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AuditEntry, Concurrency, LimitsDraft, NewSale, SalePatch, WhichLetters } from '../../../src/console/api/types';
import { concurrency, type FakeSale, firstSales, history, letters, limits, live, readiness, report, stories } from './sales';

export const KEY = 'a-key-for-tests';
const dist = process.env['DIST'] ?? new URL('../../../dist/', import.meta.url).pathname;
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const TYPES: Record<string, string> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', html: 'text/html' };

interface Body extends Omit<SalePatch, 'items'>, WhichLetters, LimitsDraft {
  key?: string;
  reason?: string;
  repair?: boolean;
  dryRun?: boolean;
  item?: string;
  delta?: number;
}

export class FakePort {
  readonly sales = firstSales();
  letters = letters();
  limits = limits();
  rules = concurrency();
  version = 4;
  audit: AuditEntry[] = [];
  /** Parts that the live stream says it cannot read. */
  missing: string[] | undefined;
  /** Writes that came without the CSRF token, which the real port would refuse. */
  unguarded = 0;
  /** Streams that are open now. */
  readonly streams = new Set<ServerResponse>();
  private streaming = true;
  private dryRunDone = false;
  private signedIn = false;
  private server: Server | undefined;
  url = '';

  async start(): Promise<string> {
    const server = createServer((request, response) => void this.answer(request, response));
    this.server = server;
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this.url;
  }

  async stop(): Promise<void> {
    for (const stream of this.streams) stream.end();
    this.server?.closeAllConnections();
    await new Promise((done) => this.server?.close(done));
  }

  /** Every stream breaks, as when a gateway restarts; `answering` says whether new ones are taken. */
  breakStreams(answering: boolean): void {
    this.streaming = answering;
    for (const stream of this.streams) stream.destroy();
  }

  /** The session ends, as it does when the admin key is changed. */
  endSession(): void {
    this.signedIn = false;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    if (url.pathname === '/' || url.pathname.startsWith('/assets/')) return file(url.pathname, response);
    const json = (body: unknown, status = 200) => send(response, status, body);
    const problem = (status: number, code: string, detail: string, more = {}) =>
      send(response, status, { type: `urn:seckill:problem:${code}`, title: code, status, detail, code, retryable: false, requestId: 'r-1', ...more });
    const text = await read(request);
    const body = (text ? JSON.parse(text) : {}) as Body;
    const write = request.method !== 'GET';

    if (url.pathname === '/admin/v1/session') {
      if (request.method === 'POST' && body.key !== KEY) return problem(401, 'unauthenticated', 'The operators\' key is needed.');
      if (request.method === 'GET' && !this.signedIn) return problem(401, 'unauthenticated', 'Sign in first.');
      this.signedIn = request.method !== 'DELETE';
      return this.signedIn ? json({ csrfToken: 'csrf', expiresAt: new Date(Date.now() + 43_200_000).toISOString() }) : json(undefined, 204);
    }
    if (!this.signedIn) return problem(401, 'unauthenticated', 'Sign in first.');
    if (write && request.headers['x-csrf-token'] !== 'csrf') {
      this.unguarded += 1;
      return problem(403, 'forbidden', 'The CSRF token is missing.');
    }
    const note = (action: string, sale: string | null, before: unknown, after: unknown) =>
      this.audit.unshift({ id: this.audit.length + 1, at: new Date().toISOString(), via: 'console', action, sale, reason: body.reason ?? null, before, after });

    switch (`${request.method} ${url.pathname}`) {
      case 'GET /admin/v1/sales':
        return json({ sales: [...this.sales.values()].map(({ sale }) => sale) });
      case 'POST /admin/v1/sales':
        return this.create(body as unknown as NewSale, json, problem, note);
      case 'GET /admin/v1/dead-letters':
        return json({ deadLetters: url.searchParams.get('sale') === 'draft' ? [] : this.letters });
      case 'GET /admin/v1/limits':
        return json({ limits: this.limits, default: limits(), version: this.version, limitedCallers: 12 });
      case 'PUT /admin/v1/limits': {
        const before = structuredClone(this.limits);
        for (const [name, change] of Object.entries(body.local ?? {})) Object.assign(this.limits.local[name as 'perIp'], change);
        this.limits.shared = this.limits.shared.filter(({ name }) => !body.remove?.includes(name) && !body.shared?.some((rule) => rule.name === name));
        this.limits.shared.push(...(body.shared ?? []));
        this.version += 1;
        note('set-limits', null, before, structuredClone(this.limits));
        return json({ before, after: this.limits, version: this.version });
      }
      case 'GET /api/v1/concurrency/config':
        return json({ success: true, data: this.rules });
      case 'PUT /api/v1/concurrency/config': {
        const before = structuredClone(this.rules);
        const { reason: _, platform_max, task_type_max, ...plain } = body as Partial<Concurrency> & { reason?: string };
        Object.assign(this.rules, plain);
        Object.assign(this.rules.platform_max, platform_max);
        Object.assign(this.rules.task_type_max, task_type_max);
        note('set-concurrency', null, before, structuredClone(this.rules));
        return json({ success: true, data: this.rules });
      }
      case 'GET /api/v1/concurrency/usage': {
        const uses = (map: Record<string, number>) => Object.fromEntries(Object.entries(map).map(([name, max]) => [name, { current: 0, max }]));
        return json({ success: true, data: { global: { current: 31, max: this.rules.global_max }, platforms: uses(this.rules.platform_max), task_types: uses(this.rules.task_type_max) } });
      }
      case 'GET /admin/v1/audit-log': {
        const sale = url.searchParams.get('sale');
        return json({ entries: this.audit.filter((entry) => !sale || entry.sale === sale), next: null });
      }
      case 'GET /admin/v1/search': {
        const query = url.searchParams.get('q') ?? '';
        const found = stories(query);
        return json({ query, found, hints: found.length > 0 ? [] : ['Nothing of this is stored. A refused purchase leaves nothing behind: its answer said why.'] });
      }
      case 'POST /admin/v1/dead-letters/replay':
      case 'POST /admin/v1/dead-letters/discard': {
        const chosen = this.letters.filter(({ messageId }) => !body.messageId || messageId === body.messageId);
        if (body.dryRun) return json({ count: chosen.length, wouldBe: chosen });
        this.letters = this.letters.filter((letter) => !chosen.includes(letter));
        note(`${url.pathname.split('/').at(-1)}-dead-letters`, null, null, { messageId: body.messageId, all: body.all });
        return json({ count: chosen.length });
      }
    }
    const [, id = '', what = ''] = /^\/admin\/v1\/sales\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? [];
    const fake = this.sales.get(id);
    if (!fake) return problem(404, 'not-found', `There is no sale ${id}.`);
    return this.ofSale(fake, `${request.method} ${what}`, body, response, note);
  }

  private create(draft: NewSale, json: (body: unknown, status: number) => void, problem: (status: number, code: string, detail: string) => void, note: Note) {
    if (this.sales.has(draft.id)) return problem(409, 'conflict', `There is a sale ${draft.id} already.`);
    const lines = draft.items.map(({ id, stock }) => ({ id, stock, free: stock, unpublished: 0, queued: 0, held: 0, paid: 0, difference: 0 }));
    const sale = { ...draft, phase: 'draft' as const, state: 'draft' as const, epoch: 0 };
    this.sales.set(draft.id, { sale, lines, startedAt: Date.now() });
    note('create', draft.id, null, draft);
    json(sale, 201);
  }

  private ofSale(fake: FakeSale, what: string, body: Body, response: ServerResponse, note: Note): void {
    const { sale, lines } = fake;
    const json = (answer: unknown) => send(response, 200, answer);
    const become = (state: 'open' | 'paused' | 'closed') => {
      note('set-state', sale.id, { state: sale.state }, { state });
      sale.state = state;
      sale.phase = state === 'closed' ? 'ended' : state === 'paused' ? 'paused' : Date.parse(sale.opensAt) > Date.now() ? 'scheduled' : 'open';
      json(sale);
    };
    switch (what) {
      case 'GET ':
        return json(sale);
      case 'PATCH ': {
        const { reason: _, ...patch } = body;
        note('patch', sale.id, { title: sale.title }, patch);
        Object.assign(sale, patch);
        return json(sale);
      }
      case 'POST warm':
        sale.epoch = 1;
        note('warm', sale.id, null, { epoch: 1 });
        return json({ epoch: 1, changed: true, items: lines.map(({ id, free }) => ({ id, free })) });
      case 'POST open':
      case 'POST resume':
        return become('open');
      case 'POST pause':
        return become('paused');
      case 'POST close':
        return become('closed');
      case 'POST restock': {
        const of = lines.find(({ id }) => id === body.item);
        if (of) [of.stock, of.free] = [of.stock + (body.delta ?? 0), of.free + (body.delta ?? 0)];
        return json({ changed: true, stock: of?.stock ?? 0 });
      }
      case 'GET readiness':
        return json(readiness(fake, this.dryRunDone));
      case 'POST dry-run':
        this.dryRunDone = true;
        return json({ ok: true, ms: 64, steps: ['token', 'admit', 'publish', 'place', 'effect', 'undo'].map((name, index) => ({ name, ok: true, ms: index * 4 + 1 })) });
      case 'GET ledger':
        return json({ sale: sale.id, at: new Date().toISOString(), items: lines });
      case 'POST reconcile': {
        const findings = lines.filter(({ difference }) => difference !== 0).map(({ id, difference }) => ({ item: id, jobId: '01939d2e-5a77-8c01-9b3a-3f5c2a7d9e10', units: difference, what: `The gate counts ${difference} units for an order that does not exist.` }));
        const before = structuredClone(lines);
        if (body.repair) {
          for (const one of lines) [one.free, one.difference] = [one.free + one.difference, 0];
          sale.epoch += 1;
        }
        return json({ sale: sale.id, at: new Date().toISOString(), balanced: findings.length === 0, items: before, findings, more: 0, orders: 200, records: 202, ...(body.repair && { repairedInEpoch: sale.epoch }) });
      }
      case 'GET report':
        return json(report(fake));
      case 'GET orders': {
        const order = (n: number, status: string) => ({ id: `01939d2e-5a77-8c01-9b3a-3f5c2a7d9e1${n}`, jobId: `01939d2e-5a77-8c01-9b3a-3f5c2a7d9e1${n}`, item: 'red-42', quantity: 1, buyer: `buyer-${n}`, status, createdAt: new Date(Date.now() - n * 9_000).toISOString() });
        return json({ orders: sale.id === 'draft' ? [] : [order(0, 'paid'), order(1, 'pending_payment'), { ...order(2, 'rejected'), reason: 'sold-out' }, order(3, 'expired')], nextCursor: null });
      }
      case 'GET live':
        return this.stream(fake, response);
      default:
        return send(response, 404, { code: 'not-found', detail: what });
    }
  }

  private stream(fake: FakeSale, response: ServerResponse): void {
    if (!this.streaming) return send(response, 503, { code: 'not-ready', detail: 'Not now.' });
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const tell = (event: string, data: unknown) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    tell('history', fake.sale.state === 'draft' ? { stepSeconds: 1, points: [] } : history(fake));
    tell('live', live(fake, this.missing));
    const timer = setInterval(() => tell('live', live(fake, this.missing)), 1_000);
    this.streams.add(response);
    response.on('close', () => {
      clearInterval(timer);
      this.streams.delete(response);
    });
  }
}

type Note = (action: string, sale: string | null, before: unknown, after: unknown) => void;

function file(path: string, response: ServerResponse): void {
  const name = path === '/' ? 'console.html' : path.slice(1);
  try {
    const bytes = readFileSync(`${dist}/${name}`);
    response.writeHead(200, { 'Content-Type': TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream', 'Content-Security-Policy': POLICY });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
