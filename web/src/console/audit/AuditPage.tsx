/** Everything that operators did, newest first. */

import { useState } from 'react';
import { Button, Field } from '../../ui';
import { api } from '../api/calls';
import type { Problem } from '../api/http';
import type { AuditEntry, AuditLog } from '../api/types';
import { Moment } from '../parts/Moment';
import { ProblemNotice } from '../parts/Notice';
import { go, href } from '../routes';
import { asProblem, useLoad } from '../useLoad';
import { useTongue } from '../words';
import { flatDifferences } from './changes';

export function AuditPage({ sale }: { sale: string }) {
  const { words } = useTongue();
  const { audit } = words;
  const sales = useLoad('sales', api.sales);
  return (
    <div className="page stack">
      <div className="row spread">
        <h1>{audit.title}</h1>
        <div className="filter">
          <Field label={audit.sale}>
            <select value={sale} onChange={(event) => go({ at: 'audit', sale: event.target.value })}>
              <option value="">{audit.allSales}</option>
              {/* A sale that is gone from the list keeps its lines. */}
              {sale && !sales.data?.some(({ id }) => id === sale) && <option value={sale}>{sale}</option>}
              {sales.data?.map(({ id, title }) => (
                <option key={id} value={id}>{title}</option>
              ))}
            </select>
          </Field>
        </div>
      </div>
      <Lines key={sale} sale={sale} />
    </div>
  );
}

function Lines({ sale }: { sale: string }) {
  const { words } = useTongue();
  const { audit } = words;
  const first = useLoad<AuditLog>(`audit ${sale}`, () => api.audit(sale));
  const [older, setOlder] = useState<{ entries: AuditEntry[]; next: number | undefined }>();
  const [problem, setProblem] = useState<Problem>();
  const entries = [...(first.data?.entries ?? []), ...(older?.entries ?? [])];
  const next = older ? older.next : (first.data?.next ?? undefined);
  const more = async () => {
    try {
      const page = await api.audit(sale, next);
      setOlder((old) => ({ entries: [...(old?.entries ?? []), ...page.entries], next: page.next ?? undefined }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const wrong = first.problem ?? problem;
  return (
    <>
      {wrong && <ProblemNotice problem={wrong} />}
      {!first.data && !wrong && <p className="soft">{words.common.loading}</p>}
      {first.data && entries.length === 0 && <p className="panel">{audit.none}</p>}
      {entries.length > 0 && (
        <ul className="audit panel">
          {entries.map((entry) => (
            <Line key={entry.id} entry={entry} />
          ))}
        </ul>
      )}
      {next !== undefined && (
        <div>
          <Button onClick={more}>{audit.older}</Button>
        </div>
      )}
    </>
  );
}

function Line({ entry }: { entry: AuditEntry }) {
  const { words } = useTongue();
  const { audit } = words;
  const changes = flatDifferences(entry.before, entry.after);
  return (
    <li>
      <div>
        <Moment at={entry.at} utc={false} />
        <div className="soft small">{audit.vias[entry.via] ?? entry.via}</div>
      </div>
      <div>
        <strong>{audit.actions[entry.action] ?? entry.action}</strong>
        {entry.sale && (
          <div>
            <a className="small" href={href({ at: 'sale', sale: entry.sale, tab: 'live' })}>{entry.sale}</a>
          </div>
        )}
      </div>
      <p>{entry.reason || <span className="soft">{audit.noReason}</span>}</p>
      {changes.length > 0 ? (
        <details className="small">
          <summary>{audit.changes(changes.length)}</summary>
          <ul className="small">
            {changes.map(({ path, before, after }) => (
              <li key={path}>
                <code>{path}</code> {before !== undefined && <span className="old">{before}</span>} {before !== undefined && '→'} <b>{after}</b>
              </li>
            ))}
          </ul>
        </details>
      ) : (
        <span className="soft small">{audit.noChange}</span>
      )}
    </li>
  );
}
