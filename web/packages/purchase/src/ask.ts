// Asks the shop. Never throws, except when told to stop.
import { patience } from './patience';
import type { Code, Problem } from './types';
import { CODES } from './types';

export type Answer<Body> =
  | { ok: true; body: Body }
  | { ok: false; problem: Problem; retryAfterS: number | undefined };

export interface Question {
  method?: 'GET' | 'POST';
  body?: unknown;
  accessToken?: string;
  signal: AbortSignal;
}

/** Then a request counts as unanswered. */
const TIMEOUT_MS = 10_000;

const known = (code: unknown): Code => (CODES.includes(code as Code) ? (code as Code) : 'unexpected');

/** Whole seconds, as the shop always says it. */
export function retryAfterS(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** The problem in an answer that is none of the expected; one without a problem's body is `unexpected`. */
export async function problemIn(answer: Response): Promise<Problem> {
  const body = await answer.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) return { code: 'unexpected', detail: `HTTP ${answer.status}` };
  return { ...body, code: known(body.code) };
}

export async function ask<Body>(fetcher: typeof fetch, url: string, question: Question): Promise<Answer<Body>> {
  const { method = 'GET', body, accessToken, signal } = question;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (accessToken) headers['authorization'] = `Bearer ${accessToken}`;
  const answered = patience(signal, TIMEOUT_MS);
  try {
    const answer = await fetcher(url, {
      method,
      headers,
      signal: answered.signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answer.ok) return { ok: true, body: await answer.json() };
    return { ok: false, problem: await problemIn(answer), retryAfterS: retryAfterS(answer.headers) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { ok: false, problem: { code: 'no-answer' }, retryAfterS: undefined };
  } finally {
    answered.done();
  }
}
