/** The answers of a funnel, the good one first, then refusals by how many heard them. */

interface Counts {
  accepted: number;
  repeated: number;
  refused: Record<string, number>;
}

export interface Answer {
  /** `accepted`, `repeated` or the code of a problem. */
  answer: string;
  count: number;
}

export function answers({ accepted, repeated, refused }: Counts): Answer[] {
  const good: Answer[] = [{ answer: 'accepted', count: accepted }];
  if (repeated > 0) good.push({ answer: 'repeated', count: repeated });
  return [...good, ...refusals(refused)];
}

export function refusals(refused: Record<string, number>): Answer[] {
  return Object.entries(refused)
    .map(([answer, count]) => ({ answer, count }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || a.answer.localeCompare(b.answer));
}
