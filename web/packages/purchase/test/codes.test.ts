// Every code of the contract, at every place where it can be met.
import { describe, expect, it } from 'vitest';
import { CODES, type Code, type Next } from '../src/index';
import { problem, silence, World } from './world';

/** Written by hand: what a buyer is to meet, whatever the table in rules.ts says. */
const EXPECTED: Record<Code, { order: Next; again: boolean; keeps: boolean }> = {
  // again: asked again by itself. keeps: the attempt stays in the session, since nobody knows what came of it.
  'sale-not-open': { order: 'watch', again: true, keeps: false },
  'sale-paused': { order: 'watch', again: true, keeps: false },
  'sale-ended': { order: 'none', again: false, keeps: false },
  'sold-out': { order: 'watch', again: false, keeps: false },
  'limit-reached': { order: 'order', again: false, keeps: false },
  'quota-exceeded': { order: 'none', again: false, keeps: false },
  'quantity-invalid': { order: 'change', again: false, keeps: false },
  'token-invalid': { order: 'tap', again: true, keeps: false },
  'token-expired': { order: 'tap', again: true, keeps: false },
  'token-mismatch': { order: 'tap', again: false, keeps: false },
  'challenge-required': { order: 'none', again: false, keeps: false },
  'challenge-failed': { order: 'tap', again: false, keeps: false },
  'rate-limited': { order: 'tap', again: true, keeps: false },
  'overloaded': { order: 'tap', again: true, keeps: false },
  'not-ready': { order: 'tap', again: true, keeps: false },
  'outcome-unknown': { order: 'ask', again: true, keeps: true },
  'no-answer': { order: 'ask', again: true, keeps: true },
  'unauthenticated': { order: 'sign-in', again: false, keeps: false },
  'forbidden': { order: 'sign-in', again: false, keeps: false },
  'not-found': { order: 'none', again: false, keeps: false },
  'malformed': { order: 'none', again: false, keeps: false },
  'method-not-allowed': { order: 'none', again: false, keeps: false },
  'too-large': { order: 'none', again: false, keeps: false },
  'unsupported-media-type': { order: 'none', again: false, keeps: false },
  'validation-failed': { order: 'none', again: false, keeps: false },
  'conflict': { order: 'none', again: false, keeps: false },
  'unplaceable': { order: 'tap', again: false, keeps: false },
  'discarded': { order: 'none', again: false, keeps: false },
  'unexpected': { order: 'ask', again: false, keeps: true },
};
const reply = (code: Code, retryAfter?: number) => (code === 'no-answer' ? silence : problem(code, {}, retryAfter));

describe.each(CODES)('%s', (code) => {
  const { order, again, keeps } = EXPECTED[code];

  it('as the answer to the purchase, for good', async () => {
    const world = new World();
    world.replies.orders = [reply(code, 3)];
    const tab = world.tab();
    await tab.buy('red', 1);
    expect(tab.state).toMatchObject({ at: 'refused', problem: { code }, next: order });
    expect(world.of('orders').length > 1).toBe(again);
    expect(world.session.all.size > 0).toBe(keeps);
  });

  it('and then a yes: one tap buys where asking again helps', async () => {
    const world = new World();
    world.replies.orders = [reply(code, 3), world.replies.orders[0] as typeof silence];
    const tab = world.tab();
    await tab.buy('red', 1);
    expect(tab.state.at).toBe(again ? 'placed' : 'refused');
    const tokens = world.of('orders').map(({ body }) => body.token);
    const renewed = code === 'token-expired' || code === 'token-invalid';
    expect(new Set(tokens).size).toBe(renewed ? 2 : 1);
  });

  it('as the answer to the wish for a token: nothing is sent, and nothing is kept', async () => {
    const world = new World();
    world.replies.tokens = [reply(code, 3)];
    const tab = world.tab();
    await tab.buy('red', 1);
    expect(tab.state).toMatchObject({ at: 'refused', problem: { code } });
    expect(world.of('orders')).toEqual([]);
    expect(world.session.all.size).toBe(0);
  });

  it('about a job that was accepted: only what the shop knows ends it', async () => {
    const world = new World();
    world.replies.events = [problem('overloaded')];
    world.replies.jobs = [reply(code, 3), world.replies.jobs[0] as typeof silence];
    const tab = world.tab();
    await tab.buy('red', 1);
    const passes = ['sale-not-open', 'sale-paused', 'rate-limited', 'overloaded', 'not-ready', 'outcome-unknown', 'no-answer', 'unexpected'];
    expect(tab.state.at).toBe(passes.includes(code) ? 'placed' : 'refused');
  });
});

it('a code that is not in the contract is told as it is, and the attempt kept', async () => {
  const world = new World();
  world.replies.orders = [problem('brand-new')];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state).toMatchObject({ at: 'refused', next: 'ask', problem: { code: 'unexpected', detail: 'because brand-new', requestId: 'r1' } });
});
