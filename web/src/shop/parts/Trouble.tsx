import { Banner, Button } from '../../ui';
import type { Problem } from '../data/shop';
import { sentence } from '../sale/panel';
import { useSay } from '../words';

/** Nothing could be read at all: why, and the next try. */
export function Trouble({ problem, onAgain }: { problem: Problem; onAgain(): void }) {
  const say = useSay();
  const lost = problem.code === 'not-found';
  // "Asking again cannot buy twice" belongs to purchases.
  const title = problem.code === 'no-answer' || problem.code === 'unexpected' ? say('unreadable') : sentence(problem, say);
  return (
    <Banner tone="warn" title={title} live>
      {problem.code === 'unauthenticated' && <p>{say('signInNote')}</p>}
      {lost ? null : <div className="row"><Button onClick={onAgain}>{say('tryAgain')}</Button></div>}
    </Banner>
  );
}

/** Something is shown that could not be refreshed. */
export function Stale({ problem }: { problem: Problem | undefined }) {
  const say = useSay();
  return problem ? <p className="stale small" role="status">{say('stale')}</p> : null;
}
