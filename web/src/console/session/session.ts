/** Is this browser signed in? The cookie says so; the CSRF token that writes need comes with the answer. */

import { useCallback, useEffect, useState } from 'react';
import { api } from '../api/calls';
import { Problem, setCsrfToken, whenSignedOut } from '../api/http';
import { asProblem } from '../useLoad';

export type SessionState =
  | { at: 'asking' }
  | { at: 'out'; ended: boolean }
  | { at: 'in' }
  | { at: 'unknown'; problem: Problem };

export function useSession() {
  const [state, setState] = useState<SessionState>({ at: 'asking' });

  const ask = useCallback(async () => {
    setState({ at: 'asking' });
    try {
      setCsrfToken((await api.session()).csrfToken);
      setState({ at: 'in' });
    } catch (error) {
      const problem = asProblem(error);
      setState(problem.status === 401 ? { at: 'out', ended: false } : { at: 'unknown', problem });
    }
  }, []);

  useEffect(() => {
    whenSignedOut(() => {
      setCsrfToken(undefined);
      setState({ at: 'out', ended: true });
    });
    void ask();
  }, [ask]);

  const signIn = useCallback(async (key: string) => {
    setCsrfToken((await api.signIn(key)).csrfToken);
    setState({ at: 'in' });
  }, []);

  const signOut = useCallback(async () => {
    try {
      await api.signOut();
    } catch (error) {
      if (asProblem(error).status !== 401) throw error;
    }
    setCsrfToken(undefined);
    setState({ at: 'out', ended: false });
  }, []);

  return { state, ask, signIn, signOut };
}
