/** Which actions a sale allows, and which comes next. */

import type { Sale } from '../api/types';

export const ACTIONS = ['edit', 'warm', 'open', 'pause', 'resume', 'restock', 'close'] as const;
export type Action = (typeof ACTIONS)[number];

/** Why an action is not possible now; the words for it are the page's. */
export type Obstacle = 'already' | 'over' | 'notWarm' | 'notOpen' | 'notPaused';

export function obstacle(action: Action, { state, phase, epoch }: Pick<Sale, 'state' | 'phase' | 'epoch'>): Obstacle | undefined {
  const over = state === 'closed' || phase === 'ended';
  switch (action) {
    case 'edit':
      return state === 'closed' ? 'over' : undefined;
    case 'warm':
      return over ? 'over' : epoch > 0 ? 'already' : undefined;
    case 'open':
      if (over) return 'over';
      if (state !== 'draft') return 'already';
      return epoch === 0 ? 'notWarm' : undefined;
    case 'pause':
      return state === 'open' && !over ? undefined : 'notOpen';
    case 'resume':
      return state === 'paused' && !over ? undefined : 'notPaused';
    case 'restock':
      return over ? 'over' : epoch === 0 ? 'notWarm' : undefined;
    case 'close':
      return state === 'closed' ? 'already' : undefined;
  }
}

/** What an operator does next, if anything: warm, then open; after a pause, resume. */
export function next(sale: Pick<Sale, 'state' | 'phase' | 'epoch'>): Action | undefined {
  const order: Action[] = ['warm', 'open', 'resume'];
  return order.find((action) => obstacle(action, sale) === undefined);
}
