// Every state of a purchase, and every code, has a sentence and one thing to do.
import { CODES, RULES, type Buying, type Code, type Problem } from 'seckill-purchase';
import { describe, expect, it } from 'vitest';
import { say } from '../words';
import { panelOf, type Facts, type Panel } from './panel';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const job = { jobId: 'j1', sale: 's1', status: 'queued', message: '' };
const facts = (more: Partial<Facts>): Facts => ({
  phase: 'open', opensAt: NOW - 1_000, buying: { at: 'idle' }, now: NOW, itemGone: false, quantity: 1, newer: false, say: say('en'), demo: true, ...more,
});
const refused = (code: Code, more: Partial<Problem> = {}, facts_: Partial<Facts> = {}) =>
  panelOf(facts({ buying: { at: 'refused', problem: { code, ...more }, next: RULES[code].next }, ...facts_ }));
const label = ({ action }: Panel) => `${action.does}: ${action.label}`;

describe.each(['en', 'zh'] as const)('in %s', (language) => {
  it.each(CODES)('%s has a sentence, and one next action', (code) => {
    for (const buying of [
      { at: 'refused', problem: { code }, next: RULES[code].next }, { at: 'waiting', problem: { code }, until: NOW + 7_000 },
    ] satisfies Buying[]) {
      const panel = panelOf(facts({ buying, say: say(language) }));
      expect(panel.title.length).toBeGreaterThan(2);
      expect(panel.title + panel.note).not.toMatch(/[{}]/);
      expect(panel.action.label.length).toBeGreaterThan(1);
      expect(panel.title).not.toMatch(/is yours|抢到了/);
    }
  });
});

it.each([
  ['sale-not-open', 'off: Not open yet'], ['sale-paused', 'off: Paused'], ['sale-ended', 'go: See other sales'], ['sold-out', 'off: Sold out'],
  ['quota-exceeded', 'go: See other sales'], ['quantity-invalid', 'reset: Choose again'], ['token-expired', 'buy: Try again'], ['token-mismatch', 'buy: Try again'],
  ['challenge-required', 'go: See other sales'], ['challenge-failed', 'buy: Try again'], ['rate-limited', 'buy: Try again'], ['overloaded', 'buy: Try again'],
  ['outcome-unknown', 'again: Ask again'], ['unauthenticated', 'sign-in: Continue as a demo buyer'], ['not-found', 'go: See other sales'],
] as const)('%s offers "%s"', (code, offered) => {
  expect(label(refused(code))).toBe(offered);
});

it('an order that is there already is led to', () => {
  expect(refused('limit-reached', { jobId: 'j7', limit: 2 })).toMatchObject({
    title: 'You already have an order here. This sale allows 2 per buyer.', action: { does: 'go', to: 'order', order: 'j7' },
  });
});

it('sold out says until when units may return, and opens again when the shop says so', () => {
  expect(refused('sold-out', { mayReturnUntil: '2026-11-21T12:15:00Z' }).title).toMatch(/^Everything is taken. Units held by unpaid orders return by .*15/);
  expect(label(refused('sold-out', {}, { newer: true }))).toBe('buy: Buy now');
  expect(label(refused('sold-out', {}, { newer: true, itemGone: true }))).toBe('off: Sold out');
  expect(label(refused('sold-out', {}, { newer: true, phase: 'soldOut' }))).toBe('off: Sold out');
});

it('who asked for more than is left is told that, not that nothing is', () => {
  expect(refused('sold-out', {}, { quantity: 3 })).toMatchObject({ title: 'There are not 3 left.', action: { does: 'reset' } });
});

it('the button counts down to when a tap is welcome again', () => {
  const until = (ms: number) => panelOf(facts({ buying: { at: 'refused', problem: { code: 'rate-limited' }, next: 'tap', until: NOW + ms } }));
  expect(label(until(7_000))).toBe('off: Again in 7 s');
  expect(label(until(90_000))).toBe('off: Again in 01:30');
  expect(label(until(-1))).toBe('buy: Try again');
});

it('nothing is called bought before the order exists', () => {
  const before: Buying[] = [{ at: 'idle' }, { at: 'asking', step: 'order' }, { at: 'waiting', problem: { code: 'overloaded' }, until: NOW }, { at: 'queued', job }];
  for (const buying of before) expect(panelOf(facts({ buying })).tone).not.toBe('good');
  expect(panelOf(facts({ buying: { at: 'placed', job } }))).toMatchObject({ tone: 'good', action: { does: 'go', to: 'order', order: 'j1' } });
});

it('what was asked for cannot be changed while it is under way, or unknown', () => {
  for (const buying of [{ at: 'asking', step: 'token' }, { at: 'queued', job }, { at: 'refused', problem: { code: 'no-answer' }, next: 'ask' }] satisfies Buying[]) {
    expect(panelOf(facts({ buying })).fixed).toBe(true);
  }
  expect(panelOf(facts({})).fixed).toBe(false);
});

it('without a demo nobody is promised a login', () => {
  expect(refused('unauthenticated', {}, { demo: false })).toMatchObject({ note: 'Sign in at the shop that sent you here, then come back.', action: { does: 'go' } });
});

it('a fault of ours names its request', () => {
  expect(refused('malformed', { requestId: 'r9' }).reference).toBe('r9');
  expect(refused('sold-out', { requestId: 'r9' }).reference).toBeUndefined();
});
