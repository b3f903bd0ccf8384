/**
 * One request to the operators' port: the session cookie goes along by itself, writes carry the CSRF token, and
 * whatever is not a success becomes a {@link Problem} with the server's own sentence.
 */

export class Problem extends Error {
  constructor(
    readonly status: number,
    /** The server's word for it; `no-answer` when none came. */
    readonly code: string,
    readonly detail: string,
    readonly field?: string,
    readonly requestId?: string,
    readonly retryAfterS?: number,
  ) {
    super(detail);
    this.name = 'Problem';
  }
}

interface ProblemBody {
  code?: string;
  title?: string;
  detail?: string;
  field?: string | null;
  requestId?: string;
}

let csrfToken: string | undefined;
let onSignedOut: () => void = () => {};

/** The token that writes carry; `undefined` after signing out. */
export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

/** Whom to tell that the session has ended. */
export function whenSignedOut(tell: () => void): void {
  onSignedOut = tell;
}

export interface Options {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  accept?: string;
  signal?: AbortSignal;
}

/** Longest wait for an answer. The slowest honest one is a dry run, which takes a minute at most. */
const PATIENCE_MS = 90_000;

export async function send(path: string, { method = 'GET', body, accept, signal }: Options = {}): Promise<Response> {
  const headers = new Headers({ Accept: accept ?? 'application/json' });
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (method !== 'GET' && csrfToken !== undefined) headers.set('X-CSRF-Token', csrfToken);
  const tooLong = AbortSignal.timeout(PATIENCE_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: signal ? AbortSignal.any([signal, tooLong]) : tooLong,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, 'no-answer', '');
  }
  if (response.ok) return response;
  const problem = await read(response);
  if (problem.status === 401 && !path.endsWith('/session')) onSignedOut();
  throw problem;
}

/** The answer's JSON. Its shape is the contract's; the server's own tests hold it to that. */
export async function call<T>(path: string, options?: Options): Promise<T> {
  const response = await send(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function read(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : undefined;
  let body: ProblemBody = {};
  try {
    body = (await response.json()) as ProblemBody;
  } catch {
    // Not one of our problems, a proxy's page for example: the status has to do.
  }
  const detail = body.detail ?? body.title ?? '';
  const code = body.code ?? `http-${response.status}`;
  return new Problem(response.status, code, detail, body.field ?? undefined, body.requestId, retryAfterS);
}
