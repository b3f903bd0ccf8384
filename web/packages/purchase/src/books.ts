// What is remembered of a purchase: this tab's attempt, and the ticket that all tabs use.
import type { Surroundings } from './surroundings';
import type { Attempt, Ticket } from './types';

/** A ticket as all tabs know it. */
export interface Kept {
  ticket: Ticket;
  /** Some tab has sent it, and does not know yet what came of it. */
  sent: boolean;
  /** When it became an order. A tap in another tab that was made before leads there too. */
  ended?: number;
}

/** By buyer, for one sale. */
export function books({ session, shared }: Pick<Surroundings, 'session' | 'shared'>, sale: string) {
  const key = (buyer: string) => `seckill.attempt.${sale}.${buyer}`;
  return {
    /** What cannot be read is as if it were not there. */
    attempt(buyer: string): Attempt | undefined {
      try {
        return JSON.parse(session.getItem(key(buyer)) ?? 'null') ?? undefined;
      } catch {
        return undefined;
      }
    },
    keepAttempt(buyer: string, kept: Attempt | undefined) {
      try {
        if (kept) session.setItem(key(buyer), JSON.stringify(kept));
        else session.removeItem(key(buyer));
      } catch {
        // A full or forbidden store: this tab goes on, a reload forgets.
      }
    },
    /** The ticket as it is after `change`, which no other tab can come between. */
    ticket: (buyer: string, change: (kept: Kept | undefined) => Kept | undefined = (kept) => kept) =>
      shared<Kept>(`seckill.ticket.${sale}.${buyer}`, change),
  };
}
