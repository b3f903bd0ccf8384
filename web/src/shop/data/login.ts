// Who is buying: the host page's buyer, or one that the demo profile hands out.
import { createShared, type Login } from 'seckill-purchase';
import { call } from '../../client/http';

declare global {
  /** Set by a page that carries this storefront: the buyer's JWT, or nothing when nobody is signed in. */
  var seckillLogin: ((renew: boolean) => Promise<string | undefined>) | undefined;
}

const KEY = 'seckill.demo-buyer';
const shared = createShared();
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

/** A demo buyer, the same in every tab; nothing where this shop hands out none. Throws where no answer came. */
async function demo(renew: boolean): Promise<Login | undefined> {
  const before = known;
  const isRefused = (one: Login) => renew && one.accessToken === before?.accessToken;
  const kept = await shared<Login>(KEY, (one) => one);
  if (kept && !isRefused(kept)) return kept;
  const answer = await call('post', '/api/v1/demo/buyers');
  if (answer.ok) {
    return shared<Login>(KEY, (one) => (one && !isRefused(one) ? one : answer.body));
  }
  if (answer.problem.code !== 'not-found') throw new Error(answer.problem.code);
  offered = false;
  return undefined;
}

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
export const isDemo = () => known !== undefined && demoOffered();
export const knownBuyer = () => known?.buyer;
export function onLogin(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Forgets the demo's buyer; the next question makes another one. */
export async function forgetDemoBuyer() {
  await shared(KEY, () => undefined);
  known = undefined;
  for (const listener of listeners) listener();
}
