// What follows from each code: the whole policy of a purchase on one screen.
import type { Code, Next } from './types';

export interface Rule {
  /**
   * - `wait`: ask again by itself, as late as the answer says
   * - `renew`: the ticket is void; fetch another one, once in a tap
   * - `solve`: a proof of work is wanted
   * - `refuse`: tell the buyer
   */
  then: 'wait' | 'renew' | 'solve' | 'refuse';
  /** What is offered once it is over. */
  next: Next;
  /** The shop has said that this ticket was not admitted. A ticket that was is always answered with its job. */
  certain: boolean;
  /** The ticket is of no use any more. */
  void?: boolean;
}

const wait = (next: Next, certain: boolean): Rule => ({ then: 'wait', next, certain });
const refuse = (next: Next): Rule => ({ then: 'refuse', next, certain: true });

export const RULES: Record<Code, Rule> = {
  'sale-not-open': wait('watch', true),
  'sale-paused': wait('watch', true),
  'rate-limited': wait('tap', false),
  'overloaded': wait('tap', false),
  'not-ready': wait('tap', false),
  'outcome-unknown': wait('ask', false),
  'no-answer': wait('tap', false),
  'sold-out': refuse('watch'),
  'sale-ended': refuse('none'),
  'limit-reached': refuse('order'),
  'quota-exceeded': refuse('none'),
  'quantity-invalid': refuse('change'),
  'token-expired': { then: 'renew', next: 'tap', certain: true, void: true },
  'token-invalid': { then: 'renew', next: 'tap', certain: true, void: true },
  'token-mismatch': { then: 'refuse', next: 'tap', certain: true, void: true },
  'challenge-required': { then: 'solve', next: 'none', certain: true },
  'challenge-failed': { then: 'solve', next: 'tap', certain: true },
  'unauthenticated': refuse('sign-in'),
  'forbidden': refuse('sign-in'),
  'not-found': refuse('none'),
  'malformed': refuse('none'),
  'method-not-allowed': refuse('none'),
  'too-large': refuse('none'),
  'unsupported-media-type': refuse('none'),
  'validation-failed': refuse('none'),
  'conflict': refuse('none'),
  'unplaceable': { then: 'refuse', next: 'tap', certain: true, void: true },
  'discarded': { then: 'refuse', next: 'none', certain: true, void: true },
  // A proxy's page, a bug: whether the purchase went through cannot be said.
  'unexpected': { then: 'refuse', next: 'tap', certain: false },
};

/** Questions of one tap, the first included. Asked for longer, somebody should be looking. */
export const TRIES_MAX = 10;
/** A longer wait is told, not waited for. */
export const WAIT_MAX_S = 60;

/** Seconds until the next question: what the answer says; after silence twice as long each time, 8 at most. */
export const waitS = (retryAfterS: number | undefined, tries: number) => retryAfterS ?? Math.min(2 ** (tries - 1), 8);
