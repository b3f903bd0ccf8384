/**
 * Follows a sale's live stream: opened while the page is seen, closed while it is not, opened again when it breaks or
 * falls silent. Each opening begins with the whole history, so nothing is missing after a break.
 */

import { useEffect, useReducer } from 'react';
import { api } from '../api/calls';
import type { History, LiveEvent } from '../api/types';
import { reduce, SILENT_MS, START } from './state';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 10_000;

export function useLive(sale: string, wanted: boolean) {
  const [state, tell] = useReducer(reduce, START);

  useEffect(() => {
    if (!wanted) return;
    let source: EventSource | undefined;
    let silence: ReturnType<typeof setTimeout> | undefined;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let retryMs = RETRY_FIRST_MS;

    const close = () => {
      source?.close();
      source = undefined;
      clearTimeout(silence);
      clearTimeout(retry);
    };
    const broken = () => {
      close();
      tell({ is: 'broken' });
      // A stream does not say why it ended: if the session did, this question finds out and the login is shown.
      void api.session().catch(() => {});
      retry = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    };
    const heard = () => {
      retryMs = RETRY_FIRST_MS;
      clearTimeout(silence);
      silence = setTimeout(broken, SILENT_MS);
    };
    const open = () => {
      close();
      tell({ is: 'connecting' });
      source = new EventSource(api.liveUrl(sale));
      silence = setTimeout(broken, SILENT_MS);
      source.addEventListener('history', ({ data }: MessageEvent<string>) => {
        heard();
        tell({ is: 'history', history: JSON.parse(data) as History, atMs: performance.now() });
      });
      source.addEventListener('live', ({ data }: MessageEvent<string>) => {
        heard();
        tell({ is: 'event', event: JSON.parse(data) as LiveEvent, atMs: performance.now() });
      });
      source.addEventListener('error', broken);
    };
    const follow = () => {
      if (document.hidden) {
        close();
        tell({ is: 'hidden' });
      } else {
        open();
      }
    };

    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      close();
    };
  }, [sale, wanted]);

  return state;
}
