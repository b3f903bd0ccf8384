import type { Item } from '../data/shop';
import { isGone } from '../sale/phase';
import { useSay } from '../words';

/** How much is left: a level and a percentage. How many exactly is nobody's race. */
export function Stock({ item }: { item: Item }) {
  const say = useSay();
  const gone = isGone(item);
  const level = gone ? say('none') : say(item.stockLevel === 'low' ? 'low' : 'plenty');
  const taken = say('taken', { percent: gone ? 100 : item.soldPercent });
  return (
    <span className={`stock ${gone ? 'gone' : item.stockLevel}`}>
      <progress max={100} value={gone ? 100 : item.soldPercent} aria-label={taken} />
      <span className="small"><b>{level}</b>{!gone && <span className="soft"> · {taken}</span>}</span>
    </span>
  );
}
