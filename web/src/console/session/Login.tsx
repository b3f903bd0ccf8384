/** The admin key, once. */

import { type FormEvent, useState } from 'react';
import { LanguageSwitch } from '../../i18n';
import { Button, Card, Field } from '../../ui';
import type { Problem } from '../api/http';
import { Notice, ProblemNotice } from '../parts/Notice';
import { asProblem } from '../useLoad';
import { useTongue } from '../words';

interface Props {
  ended: boolean;
  signIn: (key: string) => Promise<void>;
}

export function Login({ ended, signIn }: Props) {
  const { words, format } = useTongue();
  const { login } = words;
  const [key, setKey] = useState('');
  const [error, setError] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setProblem(undefined);
    setError(key === '' ? login.empty : undefined);
    if (key === '') return;
    setBusy(true);
    try {
      await signIn(key);
    } catch (thrown) {
      const wrong = asProblem(thrown);
      if (wrong.status === 401) setError(login.wrongKey);
      else if (wrong.status === 429) setError(login.limited(format.span(wrong.retryAfterS ?? 60)));
      else setProblem(wrong);
      setBusy(false);
    }
  };

  return (
    <main className="login" id="main">
      <Card className="stack">
        <div className="row spread">
          <Brand />
          <LanguageSwitch />
        </div>
        <h1>{login.title}</h1>
        {ended ? <Notice kind="info">{login.ended}</Notice> : <p className="soft">{login.intro}</p>}
        <form className="stack" onSubmit={send} noValidate>
          {/* Password managers want a name to keep the key under. */}
          <input className="unseen" type="text" autoComplete="username" value="operator" readOnly tabIndex={-1} aria-hidden="true" />
          <Field label={login.key} error={error && <span role="alert">{error}</span>}>
            <input type="password" autoComplete="current-password" value={key} onChange={(event) => setKey(event.target.value)} />
          </Field>
          {problem && <ProblemNotice problem={problem} />}
          <Button type="submit" weight="primary" wide aria-disabled={busy}>
            {busy ? login.signingIn : login.signIn}
          </Button>
        </form>
        <p className="soft small">{login.where}</p>
      </Card>
    </main>
  );
}

export function Brand() {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="8" fill="currentColor" className="brand-tile" />
        <path d="M18.6 5 8.5 18h6.2L13 27l10.5-13.4h-6.4z" className="brand-bolt" />
      </svg>
      Seckill
    </span>
  );
}
