import { expect, it } from 'vitest';
import type { Order } from '../data/shop';
import { say } from '../words';
import { standingOf } from './standing';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const order = (status: string, more: Partial<Order> = {}): Order => ({
  orderId: 'o1', sale: 's1', item: 'red', quantity: 1, status, createdAt: '2026-11-21T11:59:00Z', ...more,
});
const standing = (one: Order, confirming = false) => standingOf(one, NOW, confirming, say('en'));
const inSeconds = (seconds: number) => ({ expiresAt: new Date(NOW + seconds * 1_000).toISOString() });

it('waits for its payment, and warns in the last two minutes', () => {
  expect(standing(order('pending_payment', inSeconds(600)))).toMatchObject({ tone: 'calm', payable: true, until: NOW + 600_000 });
  expect(standing(order('pending_payment', inSeconds(119)))).toMatchObject({ tone: 'warn', payable: true, note: 'Less than two minutes are left to pay.' });
});

it('is not to be paid any more when its time is over, whatever was read last', () => {
  expect(standing(order('pending_payment', inSeconds(0)))).toMatchObject({ title: 'The time to pay is over', payable: false });
});

it('a payment that was begun is not called paid', () => {
  expect(standing(order('pending_payment', inSeconds(600)), true)).toMatchObject({ title: 'Payment is being confirmed', payable: false });
  expect(standing(order('paid'), true)).toMatchObject({ tone: 'good', title: 'Paid. It is yours.', payable: false });
});

it('every end has its sentence, and nothing to pay', () => {
  for (const status of ['paid', 'expired', 'cancelled', 'rejected']) {
    expect(standing(order(status))).toMatchObject({ payable: false, title: expect.stringMatching(/\w/), note: expect.stringMatching(/\w/) });
  }
  expect(standing(order('rejected', { reason: 'sold-out' })).note).toBe('Everything is taken.');
});

it('a payment that came too late is not forgotten', () => {
  for (const refund of ['open', 'refund_due', 'refunded']) expect(standing(order('expired', { refund })).note).toMatch(/^A payment arrived/);
});
