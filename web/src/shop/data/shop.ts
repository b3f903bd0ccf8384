// The questions that the storefront asks, beside the purchase itself.
import { call, type Answer, type Schemas } from '../../client/http';
import { login } from './login';

export type { Problem } from '../../client/http';
export type Sale = Schemas['Sale'];
export type Item = Schemas['Item'];
export type Order = Schemas['Order'];
export type Payment = Schemas['Payment'];

export const readSales = (signal: AbortSignal) => call('get', '/api/v1/sales', { signal });

export const readSale = (sale: string) => (signal: AbortSignal) => call('get', '/api/v1/sales/{sale}', { path: { sale }, signal });

/** Asks as the buyer; a login that is refused is renewed once. */
async function asBuyer<Body>(question: (accessToken: string) => Promise<Answer<Body>>): Promise<Answer<Body>> {
  for (let renew = false; ; renew = true) {
    let who;
    try {
      who = await login(renew);
    } catch {
      return { ok: false, problem: { code: 'no-answer' }, retryAfterS: undefined };
    }
    if (!who) return { ok: false, problem: { code: 'unauthenticated' }, retryAfterS: undefined };
    const answer = await question(who.accessToken);
    if (answer.ok || answer.problem.code !== 'unauthenticated' || renew) return answer;
  }
}

export const readOrders = (signal: AbortSignal) =>
  asBuyer((accessToken) => call('get', '/api/v1/me/orders', { accessToken, signal }));

export const readOrder = (order: string) => (signal: AbortSignal) =>
  asBuyer((accessToken) => call('get', '/api/v1/orders/{order}', { path: { order }, accessToken, signal }));

export const pay = (order: string) =>
  asBuyer((accessToken) => call('post', '/api/v1/orders/{order}/payments', { path: { order }, accessToken }));

export const cancel = (order: string) =>
  asBuyer((accessToken) => call('post', '/api/v1/orders/{order}/cancel', { path: { order }, accessToken }));
