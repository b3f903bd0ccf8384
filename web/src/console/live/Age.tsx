/** How old the page's data is, in words, always. */

import { useEffect, useState } from 'react';
import { useTongue } from '../words';
import { freshness, type LiveState } from './state';

const LOOK_EVERY_MS = 500;

export function Age({ state }: { state: LiveState }) {
  const { words, format } = useTongue();
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const { is, ageS } = freshness(state, Math.max(now, state.heardAtMs ?? 0));
  const { age } = words.live;
  const span = format.span(ageS);
  const text = {
    connecting: age.connecting,
    fresh: `${age.fresh} · ${ageS < 1 ? age.justNow : age.updated(span)}`,
    late: `${age.late} · ${age.updated(span)}`,
    reconnecting: age.reconnecting(span),
    never: age.never,
    hidden: age.hidden,
  }[is];
  return (
    <p className={`age ${is}`}>
      <i aria-hidden="true" />
      <span className="digits">{text}</span>
    </p>
  );
}
