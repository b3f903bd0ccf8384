// What an order's page says: one sentence, and what can be done. A pure function of the order and the time.
import { hour } from '../../i18n';
import type { Order } from '../data/shop';
import type { SayShop } from '../words';
import { sentence } from '../sale/panel';

/** Less than this left to pay: said in another colour. */
export const HURRY_MS = 120_000;

export interface Standing {
  tone: 'calm' | 'warn' | 'good' | 'busy' | 'bad';
  title: string;
  note?: string;
  /** Counts down to this instant. */
  until?: number;
  /** May it be paid and cancelled? */
  payable: boolean;
}

/** `confirming`: a payment was begun here, and the shop has not said yet that it arrived. */
export function standingOf(order: Order, now: number, confirming: boolean, say: SayShop): Standing {
  const late = { open: 'refundOpen', refund_due: 'refundDue', refunded: 'refunded' } as const;
  const refund = order.refund && order.refund in late ? say(late[order.refund as keyof typeof late]) : undefined;
  const over = (tone: Standing['tone'], title: string, note: string): Standing => ({ tone, title, note: refund ?? note, payable: false });
  switch (order.status) {
    case 'paid': return over('good', say('orderPaid'), say('orderPaidNote'));
    case 'expired': return over('calm', say('orderExpired'), say('orderExpiredNote'));
    case 'cancelled': return over('calm', say('orderCancelled'), say('orderCancelledNote'));
    case 'rejected': return over('bad', say('orderRejected'), order.reason ? sentence({ code: order.reason }, say) : say('orderRejectedNote'));
  }
  if (confirming) return { tone: 'busy', title: say('paying'), note: say('payingNote'), payable: false };
  const until = order.expiresAt ? Date.parse(order.expiresAt) : undefined;
  if (until === undefined) return { tone: 'calm', title: say('orderPending'), payable: true };
  if (until <= now) return over('warn', say('orderOver'), say('orderOverNote'));
  const hurry = until - now < HURRY_MS;
  return {
    tone: hurry ? 'warn' : 'calm', title: say('orderPending'), until, payable: true,
    note: hurry ? say('orderHurry') : say('orderPendingNote', { time: hour(until) }),
  };
}
