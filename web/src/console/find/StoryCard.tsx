/** What happened to one purchase, from token to end. */

import type { Story } from '../api/types';
import { href } from '../routes';
import { useTongue } from '../words';

export function StoryCard({ story }: { story: Story }) {
  const { words, format } = useTongue();
  const { find } = words;
  const { kind, sale, buyer, jobId, status } = story;
  return (
    <article className="panel story">
      <header>
        <h2>
          {find.kinds[kind] ?? kind}
          {status && <span className={`badge ${status}`}>{words.order[status] ?? words.code[status] ?? status}</span>}
        </h2>
      </header>
      <dl className="pairs">
        {sale && (
          <div>
            <dt>{find.sale}</dt>
            <dd>
              <a href={href({ at: 'sale', sale, tab: 'repair' })}>{sale}</a>
            </dd>
          </div>
        )}
        {buyer && (
          <div>
            <dt>{find.buyer}</dt>
            <dd>
              <a href={href({ at: 'find', text: buyer })}>{buyer}</a>
            </dd>
          </div>
        )}
        {jobId && (
          <div>
            <dt>{find.job}</dt>
            <dd>
              <a className="id" href={href({ at: 'find', text: jobId })}>{jobId}</a>
            </dd>
          </div>
        )}
      </dl>
      <ol className="timeline">
        {story.story.map(({ at, what, detail }, index) => (
          <li key={`${index} ${what}`}>
            {at ? <time dateTime={at} className="soft digits">{format.time(at)}</time> : <span className="soft">{find.noTime}</span>}
            <div>
              <strong>{find.what[what] ?? what}</strong>
              {detail && <p lang="en" className="small">{words.code[detail] ?? detail}</p>}
            </div>
          </li>
        ))}
      </ol>
    </article>
  );
}
