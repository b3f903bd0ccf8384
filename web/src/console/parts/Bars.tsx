/** A table whose rows carry a bar: the picture and its numbers are one thing. */

import { useEffect, useRef } from 'react';
import { useTongue } from '../words';

export interface Bar {
  name: string;
  /** Its class, which may give it a colour. */
  kind: string;
  count: number;
}

interface Props {
  caption: string;
  heads: [name: string, count: string, share: string];
  total: number;
  bars: Bar[];
}

export function Bars({ caption, heads, total, bars }: Props) {
  const { format } = useTongue();
  return (
    <div className="bars" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption className="unseen">{caption}</caption>
        <thead className="unseen">
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {bars.map(({ name, kind, count }) => (
            <tr key={kind}>
              <th scope="row">
                {name}
                <Length of={total > 0 ? count / total : 0} kind={kind} />
              </th>
              <td>{format.number(count)}</td>
              <td className="soft">{format.percent(count, total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Its length is set by script: the page's policy allows no style in the markup. */
function Length({ of, kind }: { of: number; kind: string }) {
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    bar.current?.style.setProperty('transform', `scaleX(${Math.min(1, Math.max(0, of))})`);
  }, [of]);
  return (
    <span className="bar" aria-hidden="true">
      <span ref={bar} className={kind} />
    </span>
  );
}
