/** Finds a buyer's story by whatever id somebody has. */

import { type FormEvent, useState } from 'react';
import { Button, Field } from '../../ui';
import { api } from '../api/calls';
import type { Found } from '../api/types';
import { ProblemNotice } from '../parts/Notice';
import { go } from '../routes';
import { useLoad } from '../useLoad';
import { useTongue } from '../words';
import { StoryCard } from './StoryCard';

/** `text` is looked for at once; a new one becomes part of the address, so that it can be shared and gone back to. */
export function Finder({ text }: { text: string }) {
  const { words } = useTongue();
  const { find } = words;
  const [typed, setTyped] = useState(text);
  const wanted = text.trim();
  const search = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() !== '') go({ at: 'find', text: typed.trim() });
  };
  return (
    <>
      <form className="finder" role="search" onSubmit={search}>
        <Field label={find.label} hint={find.help}>
          <input type="search" value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
        </Field>
        <Button type="submit" weight="primary">{find.button}</Button>
      </form>
      {wanted !== '' && <Results text={wanted} />}
    </>
  );
}

function Results({ text }: { text: string }) {
  const { words } = useTongue();
  const { data, problem } = useLoad<Found>(`find ${text}`, () => api.search(text));
  if (problem) return <ProblemNotice problem={problem} />;
  if (!data) return <p className="soft" role="status">{words.common.loading}</p>;
  return (
    <div className="stack" role="status">
      {data.found.length === 0 && (
        <div className="panel">
          <p>{words.find.none(text)}</p>
          <p className="soft small">{words.find.noneHelp}</p>
        </div>
      )}
      {data.found.map((story, at) => (
        <StoryCard key={story.jobId ?? at} story={story} />
      ))}
      {data.hints?.map((hint) => (
        <p key={hint} className="soft small" lang="en">{hint}</p>
      ))}
    </div>
  );
}
