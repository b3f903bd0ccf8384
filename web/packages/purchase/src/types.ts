// What the shop says, and what a purchase can be. src/client/contract.ts holds these against docs/openapi.json.

/** Whose purchase it is. */
export interface Login {
  /** The buyer's id (the `sub` of the JWT): keeps the attempts of two people who share a browser apart. */
  buyer: string;
  /** The buyer's JWT. */
  accessToken: string;
}

/** The right to one purchase. Sent twice, by whomever, it is still one purchase. */
export interface Ticket {
  token: string;
  /** The job that a purchase with it becomes, known before anything is sent. */
  jobId: string;
  notBefore: string;
  expiresAt: string;
}

/** A purchase as it is sent, kept before that. */
export interface Attempt {
  ticket: Ticket;
  item: string;
  quantity: number;
  /** Was an answer lost that might have been a yes? Then only the shop's clear word ends the attempt. */
  uncertain: boolean;
}

export interface Job {
  jobId: string;
  sale: string;
  item?: string | null;
  quantity?: number | null;
  status: string;
  message: string;
  pollAfterMs?: number | null;
  reason?: string | null;
  orderUrl?: string | null;
}

/** The codes of the contract that a buyer can meet, and `no-answer` for silence. */
export const CODES = [
  'sale-not-open', 'sale-paused', 'sale-ended', 'sold-out', 'limit-reached', 'quota-exceeded', 'quantity-invalid',
  'token-invalid', 'token-expired', 'token-mismatch', 'challenge-required', 'challenge-failed', 'rate-limited',
  'overloaded', 'not-ready', 'outcome-unknown', 'malformed', 'unauthenticated', 'forbidden', 'not-found',
  'method-not-allowed', 'too-large', 'unsupported-media-type', 'validation-failed', 'conflict',
  'unplaceable', 'discarded', 'no-answer', 'unexpected',
] as const;
/** `unplaceable` and `discarded` are a job's reasons; `unexpected` is an answer that is not in the contract. */
export type Code = (typeof CODES)[number];

/** Why there is nothing (yet), with the facts that the shop gave. */
export interface Problem {
  code: Code;
  /** The shop's own sentence, for codes that have no words of yours. */
  detail?: string;
  requestId?: string;
  opensAt?: string;
  mayReturnUntil?: string;
  resetsAt?: string;
  limit?: number;
  jobId?: string;
  challenge?: Challenge;
}

/** A proof of work in ALTCHA's format. */
export interface Challenge {
  parameters: {
    algorithm: string;
    cost: number;
    expiresAt: number;
    keyLength: number;
    keyPrefix: string;
    keySignature: string;
    nonce: string;
    salt: string;
  };
  signature: string;
}

/**
 * What to offer after a refusal.
 * - `tap`: the same thing once more, as a new tap
 * - `ask`: nobody knows whether it was bought; ask again, which cannot buy twice
 * - `order`: there is an order already, `problem.jobId`
 * - `watch`: wait for the sale (`sold-out`, `sale-paused`), then a new tap
 * - `change`: another quantity
 * - `sign-in`: the login is not valid
 * - `none`: nothing helps
 */
export type Next = 'tap' | 'ask' | 'order' | 'watch' | 'change' | 'sign-in' | 'none';

/** Where a purchase stands. Times are the shop's clock, in milliseconds. */
export type Buying =
  | { at: 'idle' }
  | { at: 'asking'; step: 'token' | 'solving' | 'order' }
  /** Asks again by itself at `until`, no sooner. */
  | { at: 'waiting'; problem: Problem; until: number }
  /** Accepted. Not bought yet: the order is being written. */
  | { at: 'queued'; job: Job }
  | { at: 'placed'; job: Job }
  /** Over, until somebody taps; not before `until`. */
  | { at: 'refused'; problem: Problem; next: Next; until?: number };
