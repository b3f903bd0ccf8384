/** A sentence that matters now: how something ended, or why it did not. */

import type { ReactNode } from 'react';
import type { Problem } from '../api/http';
import { useTongue } from '../words';
import { Icon } from './Icon';

type Kind = 'ok' | 'info' | 'warn' | 'bad';

export function Notice({ kind, children }: { kind: Kind; children: ReactNode }) {
  return (
    <div className={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <Icon name={kind} />
      <div>{children}</div>
    </div>
  );
}

export function ProblemNotice({ problem }: { problem: Problem }) {
  const { words, format } = useTongue();
  const { wrong } = words;
  const silent = problem.code === 'no-answer';
  return (
    <Notice kind="bad">
      <strong>{wrong.title}.</strong>{' '}
      {silent || !problem.detail ? (silent ? wrong.noAnswer : wrong.unknown) : <span lang="en">{problem.detail}</span>}
      {problem.code === 'outcome-unknown' && <> {wrong.outcomeUnknown}</>}
      {problem.retryAfterS !== undefined && <> {wrong.retryIn(format.span(problem.retryAfterS))}</>}
      {problem.requestId && <div className="small">{wrong.requestId(problem.requestId)}</div>}
    </Notice>
  );
}
