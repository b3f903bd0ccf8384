/** Dead letters in words, of one sale or of all; replay or discard, after seeing what it would do. */

import { useState } from 'react';
import { Button } from '../../ui';
import { api } from '../api/calls';
import type { DeadLetter, WhichLetters } from '../api/types';
import { Notice, ProblemNotice } from '../parts/Notice';
import { Told } from '../parts/Told';
import { href } from '../routes';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';
import { LettersDialog } from './LettersDialog';

/** As many as the server lists at once. */
const LISTED_MAX = 200;

type Asking = { what: 'replay' | 'discard'; which: WhichLetters };

export function Letters({ sale }: { sale?: string }) {
  const { words } = useTongue();
  const { letters } = words;
  const { data, problem, reload } = useLoad(`letters ${sale ?? ''}`, () => api.deadLetters(sale));
  const [asking, setAsking] = useState<Asking>();
  const [done, setDone] = useState<string>();
  const all: WhichLetters = sale === undefined ? { all: true } : { sale };
  const ask = (what: Asking['what'], which: WhichLetters) => {
    setDone(undefined);
    setAsking({ what, which });
  };
  return (
    <div className="stack">
      {problem && <ProblemNotice problem={problem} />}
      {done && <Notice kind="ok">{done}</Notice>}
      {!data && !problem && <p className="soft">{words.common.loading}</p>}
      {data?.length === 0 && <p>{letters.none}</p>}
      {data && data.length > 0 && (
        <>
          <div className="row">
            <Button onClick={() => ask('replay', all)}>{letters.replayAll}</Button>
            <Button weight="danger" onClick={() => ask('discard', all)}>{letters.discardAll}</Button>
            {data.length >= LISTED_MAX && <span className="soft small">{letters.shownAtMost}</span>}
          </div>
          <ul className="letters">
            {data.map((letter) => (
              <Letter key={letter.messageId} letter={letter} onAsk={(what) => ask(what, { messageId: letter.messageId })} />
            ))}
          </ul>
        </>
      )}
      {asking && (
        <LettersDialog
          {...asking}
          onDone={(sentence) => {
            setAsking(undefined);
            setDone(sentence);
            reload();
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
    </div>
  );
}

function Letter({ letter, onAsk }: { letter: DeadLetter; onAsk: (what: 'replay' | 'discard') => void }) {
  const { words } = useTongue();
  const { letters } = words;
  return (
    <li>
      <div className="stack-tight">
        <p lang="en" className="why">
          {letter.why}
        </p>
        <p>
          <Told says={letters.explain(letter.explanation, letter.jobs.length)} told={letter.explanation} />
        </p>
        <div className="small jobs">
          <span className="soft">{letter.jobs.length > 0 ? `${letters.jobs(letter.jobs.length)}: ` : letters.noJobs}</span>
          {letter.jobs.map((job) => (
            <a key={job} className="id" href={href({ at: 'find', text: job })}>
              {job}
            </a>
          ))}
        </div>
        <details className="small">
          <summary>{letters.raw}</summary>
          <p className="soft">
            {letters.message} <code>{letter.messageId}</code>
          </p>
          <pre tabIndex={0}>{letter.body}</pre>
        </details>
      </div>
      <div className="row">
        <Button onClick={() => onAsk('replay')}>{letters.replay}</Button>
        <Button weight="danger" onClick={() => onAsk('discard')}>{letters.discard}</Button>
      </div>
    </li>
  );
}
