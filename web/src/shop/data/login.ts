// Who is buying: the host page's buyer, or one that the demo profile hands out.
import type { Login } from 'seckill-purchase';
import { call } from '../../client/http';

declare global {
  /** Set by a page that carries this storefront: the buyer's JWT, or nothing when nobody is signed in. */
  var seckillLogin: ((renew: boolean) => Promise<string | undefined>) | undefined;
}

const KEY = 'seckill.demo-buyer';
const listeners = new Set<() => void>();
/** Where a JWT is kept that came in the address: this tab only, and over a reload. */
const HANDED = 'seckill.access-token';
let known: Login | undefined;
let offered = true;

/** The `sub` of a JWT. The shop verifies it; here it only keeps two people's attempts apart. */
export function subject(jwt: string): string | undefined {
  try {
    const part = jwt.split('.')[1] ?? '';
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}

function signedIn(accessToken: string | undefined): Login | undefined {
  const buyer = accessToken && subject(accessToken);
  return accessToken && buyer ? { buyer, accessToken } : undefined;
}

/** Takes a token out of the address before anybody copies it from there. */
export function takeFromAddress() {
  const token = /^#access_token=([^&]+)$/.exec(location.hash)?.[1];
  if (!token) return;
  sessionStorage.setItem(HANDED, decodeURIComponent(token));
  history.replaceState(null, '', location.pathname);
}

const handed = () => {
  try {
    return sessionStorage.getItem(HANDED) ?? undefined;
  } catch {
    return undefined;
  }
};

const stored = (): Login | undefined => {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
};
/** Two tabs that open at once become one buyer. */
const alone = <T>(work: () => Promise<T>) => (navigator.locks ? navigator.locks.request(KEY, work) : work());

/** A demo buyer; nothing where this shop hands out none. Throws where no answer came. */
const demo = (renew: boolean) => alone(async (): Promise<Login | undefined> => {
  const before = stored();
  if (before && !(renew && before.accessToken === known?.accessToken)) return before;
  const answer = await call('post', '/api/v1/demo/buyers');
  if (!answer.ok) {
    if (answer.problem.code === 'not-found') {
      offered = false;
      return undefined;
    }
    throw new Error(answer.problem.code);
  }
  localStorage.setItem(KEY, JSON.stringify(answer.body));
  return answer.body;
});

/** The buyer. `renew`: the shop did not take the last login. */
export async function login(renew = false): Promise<Login | undefined> {
  const found = globalThis.seckillLogin ? signedIn(await globalThis.seckillLogin(renew)) : signedIn(handed()) ?? await demo(renew);
  if (found?.accessToken !== known?.accessToken) {
    known = found;
    for (const listener of listeners) listener();
  }
  return found;
}

/** Can a buyer be had here by asking for one? */
export const demoOffered = () => offered && !globalThis.seckillLogin && !handed();
/** Is the buyer one that the demo handed out? */
export const isDemo = () => known !== undefined && stored()?.buyer === known.buyer;
export const knownBuyer = () => known?.buyer;
export function onLogin(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Forgets the demo's buyer; the next question makes another one. */
export function forgetDemoBuyer() {
  localStorage.removeItem(KEY);
  known = undefined;
  for (const listener of listeners) listener();
}
