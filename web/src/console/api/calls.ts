/** Every question that the console asks, by name. Each write takes the operator's reason for the audit log. */

import { call, send } from './http';
import type * as t from './types';

const sales = '/admin/v1/sales';
const of = (sale: string, what = '') => `${sales}/${encodeURIComponent(sale)}${what && `/${what}`}`;
const post = <T>(path: string, body: unknown) => call<T>(path, { method: 'POST', body });

function query(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

export const api = {
  signIn: (key: string) => post<t.Session>('/admin/v1/session', { key }),
  session: () => call<t.Session>('/admin/v1/session'),
  signOut: () => call<void>('/admin/v1/session', { method: 'DELETE' }),

  sales: async () => (await call<{ sales: t.Sale[] }>(sales)).sales,
  sale: (sale: string) => call<t.Sale>(of(sale)),
  create: (sale: t.NewSale, reason: string) => post<t.Sale>(sales, { ...sale, reason }),
  edit: (sale: string, patch: t.SalePatch, reason: string) =>
    call<t.Sale>(of(sale), { method: 'PATCH', body: { ...patch, reason } }),
  warm: (sale: string, reason: string) =>
    post<{ epoch: number; changed: boolean; items: { id: string; free: number }[] }>(of(sale, 'warm'), { reason }),
  change: (sale: string, to: 'open' | 'pause' | 'resume' | 'close', reason: string) =>
    post<t.Sale>(of(sale, to), { reason }),
  restock: (sale: string, change: { item: string; delta: number; id: string }, reason: string) =>
    post<{ changed: boolean; stock: number }>(of(sale, 'restock'), { ...change, reason }),

  readiness: (sale: string) => call<t.Readiness>(of(sale, 'readiness')),
  dryRun: (sale: string, reason: string) => post<t.DryRun>(of(sale, 'dry-run'), { reason }),
  ledger: (sale: string) => call<t.Ledger>(of(sale, 'ledger')),
  reconcile: (sale: string, repair: boolean, reason: string) =>
    post<t.Reconciliation>(of(sale, 'reconcile'), { repair, reason }),
  report: (sale: string) => call<t.Report>(of(sale, 'report')),
  orders: (sale: string, status: string, cursor?: string) =>
    call<t.OrdersPage>(of(sale, 'orders') + query({ status, cursor, limit: 50 })),
  allOrders: async (sale: string, status: string) =>
    (await send(of(sale, 'orders') + query({ status }), { accept: 'application/x-ndjson' })).blob(),
  liveUrl: (sale: string) => of(sale, 'live'),

  search: (text: string) => call<t.Found>(`/admin/v1/search${query({ q: text })}`),
  audit: (sale: string, before?: number) => call<t.AuditLog>(`/admin/v1/audit-log${query({ sale, before, limit: 50 })}`),

  deadLetters: async (sale?: string) =>
    (await call<{ deadLetters: t.DeadLetter[] }>(`/admin/v1/dead-letters${query({ sale })}`)).deadLetters,
  letters: (what: 'replay' | 'discard', which: t.WhichLetters, dryRun: boolean, reason?: string) =>
    post<t.LettersDone>(`/admin/v1/dead-letters/${what}`, { ...which, dryRun, ...(reason && { reason }) }),

  limits: () => call<t.LimitsNow>('/admin/v1/limits'),
  changeLimits: (draft: t.LimitsDraft, reason: string) =>
    call<{ before: t.Limits; after: t.Limits; version: number }>('/admin/v1/limits', {
      method: 'PUT',
      body: { ...draft, reason },
    }),
  concurrency: async () => (await call<{ data: t.Concurrency }>('/api/v1/concurrency/config')).data,
  usage: async () => (await call<{ data: t.ConcurrencyUsage }>('/api/v1/concurrency/usage')).data,
  changeConcurrency: async (change: Partial<t.Concurrency>, reason: string) =>
    (await call<{ data: t.Concurrency }>('/api/v1/concurrency/config', { method: 'PUT', body: { ...change, reason } }))
      .data,
  resetConcurrency: async (reason: string) =>
    (await post<{ data: t.Concurrency }>('/api/v1/concurrency/reset', { reason })).data,
};
