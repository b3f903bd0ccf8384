import { expect, test } from 'vitest';
import type { Sale } from '../api/types';
import { ACTIONS, next, obstacle } from './actions';

type Standing = Pick<Sale, 'state' | 'phase' | 'epoch'>;
const possible = (sale: Standing) => ACTIONS.filter((action) => obstacle(action, sale) === undefined);

test.each<[string, Standing, string[], string | undefined]>([
  ['a draft', { state: 'draft', phase: 'draft', epoch: 0 }, ['edit', 'warm', 'close'], 'warm'],
  ['a warm draft', { state: 'draft', phase: 'draft', epoch: 1 }, ['edit', 'open', 'restock', 'close'], 'open'],
  ['a sale that waits for its time', { state: 'open', phase: 'scheduled', epoch: 1 }, ['edit', 'pause', 'restock', 'close'], undefined],
  ['an open sale', { state: 'open', phase: 'open', epoch: 1 }, ['edit', 'pause', 'restock', 'close'], undefined],
  ['a sold out sale', { state: 'open', phase: 'soldOut', epoch: 1 }, ['edit', 'pause', 'restock', 'close'], undefined],
  ['a paused sale', { state: 'paused', phase: 'paused', epoch: 1 }, ['edit', 'resume', 'restock', 'close'], 'resume'],
  ['a sale whose window is over', { state: 'open', phase: 'ended', epoch: 1 }, ['edit', 'close'], undefined],
  ['a closed sale', { state: 'closed', phase: 'ended', epoch: 1 }, [], undefined],
])('%s allows what makes sense', (_, sale, actions, comesNext) => {
  expect(possible(sale)).toEqual(actions);
  expect(next(sale)).toBe(comesNext);
});
