// Asks the routes of docs/openapi.json, typed by it (`npm run api` writes api.d.ts).
import type { components, paths } from './api';

export type Schemas = components['schemas'];

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
/** Paths that have the method. */
type PathWith<M extends Method> = { [P in keyof paths]: [NonNullable<paths[P][M]>] extends [never] ? never : P }[keyof paths];
type Json<Content> = Content extends { content: { 'application/json': infer Body } } ? Body : undefined;
/** What a 200, 201 or 202 carries. */
type Body<Operation> = Operation extends { responses: infer Responses }
  ? Json<Responses[Extract<200 | 201 | 202, keyof Responses>]>
  : never;
type In<Operation, Where extends string> = Operation extends { parameters: { [W in Where]: infer Values extends object } } ? Values : object;

interface Wishes<Operation> {
  path?: In<Operation, 'path'>;
  body?: Operation extends { requestBody?: { content: { 'application/json': infer Sent } } } ? Sent : never;
  accessToken?: string;
  signal?: AbortSignal;
}

export type Problem = Partial<Schemas['Problem']> & { code: string };
/** An answer is one of two things, and never an exception. */
export type Answer<B> = { ok: true; body: B } | { ok: false; problem: Problem; retryAfterS: number | undefined };

const url = (path: string, values: object) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String((values as Record<string, unknown>)[name])));

/**
 * `await call('get', '/api/v1/sales/{sale}', { path: { sale } })`. Silence is the code `no-answer`, an answer that is no
 * problem of ours is `unexpected`.
 */
export async function call<M extends Method, P extends PathWith<M>>(
  method: M, path: P, wishes: Wishes<paths[P][M]> = {},
): Promise<Answer<Body<paths[P][M]>>> {
  const { path: values = {}, body, accessToken, signal } = wishes;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (accessToken) headers['authorization'] = `Bearer ${accessToken}`;
  let answer: Response;
  let said: unknown;
  try {
    answer = await fetch(url(path, values), {
      method: method.toUpperCase(), headers, ...(body !== undefined && { body: JSON.stringify(body) }), ...(signal && { signal }),
    });
    said = await answer.json().catch(() => undefined);
  } catch {
    return { ok: false, problem: { code: 'no-answer' }, retryAfterS: undefined };
  }
  if (answer.ok) return { ok: true, body: said as Body<paths[P][M]> };
  const problem = said as Problem | undefined;
  const after = answer.headers.get('retry-after');
  return {
    ok: false,
    problem: typeof problem?.code === 'string' ? problem : { code: 'unexpected', detail: `HTTP ${answer.status}` },
    retryAfterS: after && /^\d+$/.test(after) ? Number(after) : undefined,
  };
}
