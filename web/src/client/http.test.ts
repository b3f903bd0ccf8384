import { afterEach, expect, it, vi } from 'vitest';
import { call } from './http';

afterEach(() => vi.unstubAllGlobals());
const answers = (answer: () => Promise<Response>) => {
  const asked = vi.fn<(url: string, init: RequestInit) => Promise<Response>>(answer);
  vi.stubGlobal('fetch', asked);
  return asked;
};

it('fills the path, and gives the body', async () => {
  const asked = answers(async () => Response.json({ id: 's 1' }));
  expect(await call('get', '/api/v1/sales/{sale}', { path: { sale: 's 1' }, accessToken: 'jwt' })).toEqual({ ok: true, body: { id: 's 1' } });
  expect(asked.mock.calls[0]).toMatchObject(['/api/v1/sales/s%201', { method: 'GET', headers: { authorization: 'Bearer jwt' } }]);
});

it('a refusal comes with its code and when to come back', async () => {
  answers(async () => Response.json({ code: 'rate-limited', detail: 'slow' }, { status: 429, headers: { 'retry-after': '3' } }));
  expect(await call('get', '/api/v1/sales')).toEqual({ ok: false, problem: { code: 'rate-limited', detail: 'slow' }, retryAfterS: 3 });
});

it('silence and strangers have codes of their own', async () => {
  answers(() => Promise.reject(new TypeError('network')));
  expect(await call('get', '/api/v1/sales')).toMatchObject({ ok: false, problem: { code: 'no-answer' } });
  answers(async () => new Response('<h1>Bad gateway</h1>', { status: 502 }));
  expect(await call('get', '/api/v1/sales')).toMatchObject({ ok: false, problem: { code: 'unexpected', detail: 'HTTP 502' }, retryAfterS: undefined });
});
