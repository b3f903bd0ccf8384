/** Which gateways report now: the live stream of a warm sale knows. */

import { useEffect, useState } from 'react';
import { api } from '../api/calls';
import type { LiveEvent } from '../api/types';

const PATIENCE_MS = 5_000;

/** Looked up once, and again for each new `turn`. `undefined`: nobody could say. */
export function useGateways(turn: number): string[] | undefined {
  const [names, setNames] = useState<string[]>();
  useEffect(() => {
    let source: EventSource | undefined;
    let wanted = true;
    const stop = () => {
      wanted = false;
      source?.close();
    };
    const timer = setTimeout(stop, PATIENCE_MS);
    api.sales().then(
      (sales) => {
        const warm = sales.find(({ epoch, phase }) => epoch > 0 && phase !== 'ended');
        if (!wanted || !warm) return;
        source = new EventSource(api.liveUrl(warm.id));
        source.addEventListener('error', stop);
        source.addEventListener('live', ({ data }: MessageEvent<string>) => {
          const { gateways } = JSON.parse(data) as LiveEvent;
          if (gateways) setNames(gateways.map(({ instance }) => instance));
          stop();
        });
      },
      () => {},
    );
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [turn]);
  return names;
}
