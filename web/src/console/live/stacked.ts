/** Levels of a sale as a stack: what is drawn is sums, tallest first, each covering its part of the one before. */

import type uPlot from 'uplot';
import type { Sample } from './series';

/** From the bottom of the stack to its top. */
export const LEVELS = ['paid', 'held', 'queued', 'free'] as const;

/** The times, then paid + held + queued + free, then the same without free, and so on. */
export function stacked(samples: Sample[]): uPlot.AlignedData {
  const times = samples.map(({ at }) => at);
  const sums = LEVELS.map((_, upTo) =>
    samples.map((sample) => LEVELS.slice(0, upTo + 1).reduce((sum, level) => sum + sample[level], 0)),
  );
  return [times, ...sums.reverse()];
}
