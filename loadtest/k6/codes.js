// The codes of the contract that a buyer's load can meet, and what an answer with each must carry.
//
// A code that is not listed here is a fault of this flow or of the shop, and counts as an error.

/** @typedef {import('k6/http').RefinedResponse<'text'>} Answer */
/**
 * @typedef {object} Code
 * @property {number} status
 * @property {'final' | 'later' | 'wait'} then final: a proper answer; later: repeat, and count an error, because the
 *   buyer got none; wait: repeat, the buyer was too early
 * @property {string[]} [carries] members of the problem
 */

/** @type {Record<string, Code>} */
export const CODES = {
  'sold-out': { status: 409, then: 'final' },
  'limit-reached': { status: 409, then: 'final', carries: ['limit', 'jobId'] },
  'sale-ended': { status: 410, then: 'final' },
  'sale-not-open': { status: 409, then: 'wait', carries: ['opensAt', 'serverTime'] },
  'sale-paused': { status: 503, then: 'later' },
  'rate-limited': { status: 429, then: 'later' },
  overloaded: { status: 503, then: 'later' },
  'not-ready': { status: 503, then: 'later' },
  'outcome-unknown': { status: 503, then: 'later', carries: ['jobId'] },
  'no-answer': { status: 0, then: 'later' },
};

/** Seconds to wait after no answer at all; a 429 or 503 says itself how long. */
const NO_ANSWER_S = 1;

/**
 * `ok`, the problem's code, `no-answer`, or `http-STATUS` for an error that is no problem document.
 * @param {Answer} answer
 * @returns {string}
 */
export function codeOf(answer) {
  if (answer.status === 0) return 'no-answer';
  if (answer.status < 300) return 'ok';
  const isProblem = String(answer.headers['Content-Type']).startsWith('application/problem+json');
  return isProblem ? String(answer.json('code')) : `http-${answer.status}`;
}

/**
 * Seconds until this answer's request may be repeated: exactly its Retry-After; `null` when it names none.
 * @param {Answer} answer
 */
export function retryAfter(answer) {
  if (answer.status === 0) return NO_ANSWER_S;
  const seconds = answer.headers['Retry-After'] || '';
  return /^\d+$/.test(seconds) ? Number(seconds) : null;
}

/**
 * Does a refusal or an error look as the contract says?
 * @param {Answer} answer
 * @param {string} code
 */
export function asDocumented(answer, code) {
  const known = CODES[code];
  if (!known || answer.status !== known.status) return false;
  if (known.then !== 'final' && retryAfter(answer) === null) return false;
  return (known.carries || []).every((member) => answer.json(member) !== undefined);
}
