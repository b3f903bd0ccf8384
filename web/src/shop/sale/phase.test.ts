import { expect, it } from 'vitest';
import type { Sale } from '../data/shop';
import { inOrder, phaseAt } from './phase';

const at = (time: string) => Date.parse(`2026-11-21T${time}Z`);
const sale = (phase: string, id = phase, opens = '12:00:00', closes = '13:00:00'): Sale => ({
  id, title: id, phase, opensAt: `2026-11-21T${opens}Z`, tokensFrom: '2026-11-21T11:50:00Z', closesAt: `2026-11-21T${closes}Z`, limitPerBuyer: 1, items: [],
});

it('opens and ends by the clock, without being read again', () => {
  expect(phaseAt(sale('scheduled'), at('11:59:59.999'))).toBe('scheduled');
  expect(phaseAt(sale('scheduled'), at('12:00:00'))).toBe('open');
  expect(phaseAt(sale('open'), at('12:59:59.999'))).toBe('open');
  for (const phase of ['scheduled', 'open', 'paused', 'soldOut', 'ended']) expect(phaseAt(sale(phase), at('13:00:00'))).toBe('ended');
});

it('what was paused or sold out stays so until the shop says otherwise', () => {
  expect(phaseAt(sale('paused'), at('12:30:00'))).toBe('paused');
  expect(phaseAt(sale('soldOut'), at('12:30:00'))).toBe('soldOut');
});

it('shows what can be bought first, and what ended last comes before what ended long ago', () => {
  const sales = [
    sale('ended', 'old', '01:00:00', '02:00:00'), sale('ended', 'recent', '09:00:00', '10:00:00'), sale('soldOut'), sale('scheduled', 'tonight', '20:00:00', '21:00:00'),
    sale('open'), sale('scheduled', 'soon', '12:40:00'),
  ];
  expect(inOrder(sales, at('12:30:00')).map(({ id }) => id)).toEqual(['open', 'soon', 'tonight', 'soldOut', 'recent', 'old']);
});
