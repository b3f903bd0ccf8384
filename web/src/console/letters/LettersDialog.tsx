/** First what would be done (a dry run), then why, then doing it. */

import { useEffect, useState } from 'react';
import { api } from '../api/calls';
import type { Problem } from '../api/http';
import type { LettersDone, WhichLetters } from '../api/types';
import { ActionDialog } from '../parts/ActionDialog';
import { ProblemNotice } from '../parts/Notice';
import { asProblem } from '../useLoad';
import { useTongue } from '../words';

interface Props {
  what: 'replay' | 'discard';
  which: WhichLetters;
  onDone: (sentence: string) => void;
  onClose: () => void;
}

/** Letters named in the dialog. */
const NAMED = 5;

export function LettersDialog({ what, which, onDone, onClose }: Props) {
  const { words } = useTongue();
  const { letters } = words;
  const [would, setWould] = useState<LettersDone>();
  const [problem, setProblem] = useState<Problem>();
  const asked = JSON.stringify(which);
  useEffect(() => {
    api.letters(what, JSON.parse(asked) as WhichLetters, true).then(setWould, (error: unknown) => setProblem(asProblem(error)));
  }, [what, asked]);

  const named = would?.wouldBe?.slice(0, NAMED) ?? [];
  const more = (would?.count ?? 0) - named.length;
  return (
    <ActionDialog
      title={what === 'replay' ? letters.replayTitle : letters.discardTitle}
      what={what === 'replay' ? letters.replayWhat : letters.discardWhat}
      confirm={what === 'replay' ? letters.confirmReplay : letters.confirmDiscard}
      {...(what === 'discard' && { twice: 'tick' as const })}
      idle={would === undefined || would.count === 0}
      run={async (reason) => {
        const { count } = await api.letters(what, which, false, reason);
        onDone(what === 'replay' ? letters.replayed(count) : letters.discarded(count));
      }}
      onClose={onClose}
    >
      {problem && <ProblemNotice problem={problem} />}
      {!would && !problem && <p className="soft" role="status">{letters.trying}</p>}
      {would?.count === 0 && <p role="status">{letters.wouldNone}</p>}
      {would && would.count > 0 && (
        <div className="would">
          <p>
            <strong>{letters.would(would.count)}</strong>
          </p>
          <ul>
            {named.map(({ messageId, why, jobs }) => (
              <li key={messageId} className="small">
                <span lang="en">{why}</span> <span className="soft">({jobs.length > 0 ? letters.jobs(jobs.length) : letters.noJobs})</span>
              </li>
            ))}
          </ul>
          {more > 0 && <p className="soft small">{letters.andMore(more)}</p>}
        </div>
      )}
    </ActionDialog>
  );
}
