// One buyer's way from the tap to the order: token, send, wait, resume.
import { ask, type Answer } from './ask';
import { books, type Kept } from './books';
import { follow } from './follow';
import { RULES, TRIES_MAX, WAIT_MAX_S, waitS } from './rules';
import { solve } from './solve';
import type { Surroundings } from './surroundings';
import type { Attempt, Buying, Job, Login, Next, Problem, Ticket } from './types';

export interface Options extends Surroundings {
  /** The sale's id. */
  sale: string;
  /** Where the shop is: an origin, or nothing for the page's own. */
  base?: string;
  /** The sales channel, 1 to 32 of a-z, 0-9 and `-`. */
  channel?: string;
  /** Who is buying. `renew`: the last answer's login was refused, is there another? Nothing: nobody is signed in. */
  login(renew: boolean): Promise<Login | undefined>;
}

/** When tokens are to be had: two fields of the sale. */
export interface Window { tokensFrom: string; opensAt: string }

export interface Purchase {
  /** Where it stands; the same object until it changes. */
  readonly state: Buying;
  /** Calls `listener` after each change; returns how to stop that. */
  subscribe(listener: () => void): () => void;
  /** Fetches the ticket at a random moment before the opening, so that not everybody comes at once. Call it once. */
  prepare(window: Window): Promise<void>;
  /** One tap. While something is under way it changes nothing. */
  buy(item: string, quantity: number): Promise<void>;
  /** After a reload: goes on with the attempt that this tab had sent, if any. */
  resume(): Promise<void>;
  /** After `refused` or `placed`: as if nothing had been asked. An attempt whose outcome is not known stays. */
  reset(): void;
  /** Stops waiting. What was sent is sent; `resume` finds it. */
  stop(): void;
}

/** Tokens begin to be issued; a little later, for clocks. */
const MARGIN_MS = 1_000;
/** The ticket is there this long before the opening. */
const BEFORE_MS = 2_000;
/** Between looks at the clock on the way to that moment. */
const LOOK_MS = 30_000;
/** A tap in one tab that is made as the order of another one is told was meant for that one. */
const SAME_MOMENT_MS = 1_000;
/** A ticket that ends sooner than this is not begun with. */
const LIFE_LEFT_MS = 2_000;

/** Why an attempt is sent. */
interface Why {
  /** May a void ticket be replaced? */
  renew: boolean;
  /** Do the other tabs hear of it? */
  tell: boolean;
  tappedAt?: number;
}
const TAP: Why = { renew: true, tell: true };
/** A reload, or another tab's tap. No new ticket in the buyer's name: whoever reloads tomorrow has not tapped. */
const NO_TAP: Why = { renew: false, tell: false };

export function createPurchase(options: Options): Purchase {
  const { sale, base = '', channel, login, now, random, tell } = options;
  const book = books(options, sale);
  const stopping = new AbortController();
  const { signal } = stopping;
  const listeners = new Set<() => void>();
  const path = `${base}/api/v1/sales/${encodeURIComponent(sale)}`;
  let state: Buying = { at: 'idle' };

  function become(next: Buying) {
    state = next;
    for (const listener of listeners) listener();
  }
  const busy = () => ['asking', 'waiting', 'queued'].includes(state.at);
  const refuse = (problem: Problem, next: Next = RULES[problem.code].next, until?: number) =>
    become({ at: 'refused', problem, next, ...(until !== undefined && { until }) });

  /** Asks until there is an answer that does not say "later"; each time as late as it says. */
  async function insist<Body>(
    step: 'token' | 'order', question: () => Promise<Answer<Body>>, lost: () => void = () => {},
  ): Promise<Answer<Body>> {
    for (let tries = 1; ; tries += 1) {
      become({ at: 'asking', step });
      const answer = await question();
      if (answer.ok || RULES[answer.problem.code].then !== 'wait') return answer;
      if (['no-answer', 'outcome-unknown'].includes(answer.problem.code)) lost();
      const seconds = waitS(answer.retryAfterS, tries);
      if (seconds > WAIT_MAX_S || tries >= TRIES_MAX) return { ...answer, retryAfterS: seconds };
      become({ at: 'waiting', problem: answer.problem, until: now() + seconds * 1_000 });
      await options.sleep(seconds * 1_000, signal);
      await options.online(signal);
    }
  }

  /** One request for a ticket; a proof of work is done where it is wanted, and a login renewed where it is refused. */
  async function requestTicket(who: Login): Promise<Answer<Ticket>> {
    const wish = (accessToken: string, altcha?: string) => ask<Ticket>(options.fetch, `${path}/tokens`, {
      method: 'POST', accessToken, signal, body: { ...(channel && { channel }), ...(altcha && { altcha }) },
    });
    let answer = await wish(who.accessToken);
    for (let tries = 0; tries < 2 && !answer.ok && answer.problem.challenge; tries += 1) {
      if (busy()) become({ at: 'asking', step: 'solving' });
      const altcha = await solve(answer.problem.challenge, options.subtle, now, signal);
      if (!altcha) break;
      answer = await wish(who.accessToken, altcha);
    }
    return answer;
  }

  const usable = (ticket: Ticket) => Date.parse(ticket.expiresAt) > now() + LIFE_LEFT_MS;

  /**
   * Is that this buyer's ticket? One that was sent counts until its outcome is known; one that became an order in the
   * meantime counts for a tap that was made before.
   */
  const counts = ({ ticket, sent, ended }: Kept, tappedAt = Infinity) =>
    (ended === undefined ? sent || usable(ticket) : tappedAt <= ended + SAME_MOMENT_MS);

  /** The ticket that this buyer has, in whatever tab. */
  async function known(buyer: string, tappedAt?: number): Promise<Ticket | undefined> {
    const kept = await book.ticket(buyer);
    return kept && counts(kept, tappedAt) ? kept.ticket : undefined;
  }

  /** Keeps a fresh ticket, unless another tab was faster: then that one is taken. */
  async function settleOn(buyer: string, fresh: Ticket, tappedAt?: number): Promise<Ticket> {
    const kept = await book.ticket(buyer, (other) => (other && counts(other, tappedAt) ? other : { ticket: fresh, sent: false }));
    return kept?.ticket ?? fresh;
  }

  async function buy(item: string, quantity: number): Promise<void> {
    if (busy()) return;
    const tappedAt = now();
    become({ at: 'asking', step: 'token' });
    let who: Login | undefined;
    try {
      who = await login(false);
    } catch {
      return refuse({ code: 'no-answer' });
    }
    if (!who) return refuse({ code: 'unauthenticated' });
    const kept = book.attempt(who.buyer);
    // An attempt whose outcome is unknown is this tap's attempt: anything else could buy twice.
    if (kept?.uncertain) return send(who, kept, TAP);
    await begin(who, item, quantity, { ...TAP, tappedAt });
  }

  async function begin(first: Login, item: string, quantity: number, why: Why): Promise<void> {
    let who = first;
    let ticket = await known(who.buyer, why.tappedAt);
    if (!ticket) {
      let answer = await insist('token', () => requestTicket(who));
      if (!answer.ok && answer.problem.code === 'unauthenticated') {
        const renewed = await login(true);
        if (renewed) {
          who = renewed;
          answer = await insist('token', () => requestTicket(renewed));
        }
      }
      if (!answer.ok) return refuseAfter(answer);
      ticket = await settleOn(who.buyer, answer.body, why.tappedAt);
    }
    await send(who, { ticket, item, quantity, uncertain: false }, why);
  }

  function refuseAfter({ problem, retryAfterS }: { problem: Problem; retryAfterS: number | undefined }, next?: Next) {
    refuse(problem, next, retryAfterS === undefined ? undefined : now() + retryAfterS * 1_000);
  }

  /** Sends an attempt, kept first, with the same token each time. */
  async function send(who: Login, attempt: Attempt, why: Why): Promise<void> {
    const { ticket, item, quantity } = attempt;
    let { uncertain } = attempt;
    const keep = () => book.keepAttempt(who.buyer, { ticket, item, quantity, uncertain });
    keep();
    await book.ticket(who.buyer, () => ({ ticket, sent: true }));
    if (why.tell) tell({ sale, buyer: who.buyer, attempt });
    const question = () => ask<Job>(options.fetch, `${path}/orders`, {
      method: 'POST', signal, body: { token: ticket.token, item, quantity },
    });
    const answer = await insist('order', question, () => { uncertain = true; keep(); });
    if (answer.ok) return track(who, ticket, answer.body);

    const rule = RULES[answer.problem.code];
    if (uncertain && !rule.certain) return refuseAfter(answer, 'ask');
    if (answer.problem.code === 'unexpected') {
      uncertain = true;
      keep();
      return refuseAfter(answer, 'ask');
    }
    await forget(who, rule.void ? undefined : { ticket, sent: false });
    if (rule.then === 'renew' && why.renew) return begin(who, item, quantity, { ...why, renew: false });
    refuseAfter(answer);
  }

  /** The attempt is over. A ticket that was not used up serves the next tap, in whatever tab. */
  async function forget(who: Login, kept: Kept | undefined) {
    book.keepAttempt(who.buyer, undefined);
    await book.ticket(who.buyer, () => kept);
  }

  async function track(who: Login, ticket: Ticket, accepted: Job): Promise<void> {
    const end = await follow(options, base, accepted, signal, (job) => {
      if (job.status === 'queued') become({ at: 'queued', job });
    });
    const placed = 'job' in end && end.job.status === 'placed';
    await forget(who, placed ? { ticket, sent: false, ended: now() } : undefined);
    if ('problem' in end) return refuse(end.problem);
    if (placed) return become({ at: 'placed', job: end.job });
    refuse(reasonOf(end.job));
  }

  async function resume(): Promise<void> {
    if (busy()) return;
    const who = await login(false);
    const attempt = who && book.attempt(who.buyer);
    if (!who || !attempt || busy()) return;
    await send(who, attempt, NO_TAP);
  }

  async function prepare({ tokensFrom, opensAt }: Window): Promise<void> {
    const first = Math.max(now(), Date.parse(tokensFrom) + MARGIN_MS);
    const last = Math.max(first, Date.parse(opensAt) - BEFORE_MS);
    const moment = first + random() * (last - first);
    // In steps: the clock may be corrected, and a device that slept has lost its timers.
    while (now() < moment) await options.sleep(Math.min(moment - now(), LOOK_MS), signal);
    for (let tries = 1; tries <= TRIES_MAX && !busy(); tries += 1) {
      const who = await login(false);
      if (!who || await known(who.buyer)) return;
      const answer = await requestTicket(who);
      if (answer.ok) return void await settleOn(who.buyer, answer.body);
      // The tap will say what is wrong. Until then only what passes by itself is tried again.
      if (RULES[answer.problem.code].then !== 'wait') return;
      await options.sleep(waitS(answer.retryAfterS, tries) * 1_000, signal);
    }
  }

  // Another tab of this buyer has tapped: this one shows the same purchase.
  const unhear = options.hear((news) => {
    if (news.sale !== sale || busy() || state.at === 'placed') return;
    void quietly(async () => {
      const who = await login(false);
      if (who?.buyer === news.buyer && !busy()) await send(who, news.attempt, NO_TAP);
    });
  });

  /** Being stopped is no failure. */
  async function quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  return {
    get state() { return state; },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    prepare: (window) => quietly(() => prepare(window)),
    buy: (item, quantity) => quietly(() => buy(item, quantity)),
    resume: () => quietly(resume),
    reset() { if (!busy()) become({ at: 'idle' }); },
    stop() {
      unhear();
      stopping.abort();
    },
  };
}

const REASONS = ['sold-out', 'limit-reached', 'unplaceable', 'discarded'] as const;

/** A job that was refused after it had been accepted. */
function reasonOf(job: Job): Problem {
  const code = REASONS.find((reason) => reason === job.reason) ?? 'unplaceable';
  return { code, detail: job.message };
}
