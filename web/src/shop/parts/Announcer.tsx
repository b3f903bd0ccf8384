// What is read out without anybody asking: few sentences, and each once.
import { useEffect, useSyncExternalStore } from 'react';

let sentence = '';
const listeners = new Set<() => void>();

export function announce(text: string) {
  sentence = text;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export function Announcer() {
  return <p className="unseen" role="status">{useSyncExternalStore(subscribe, () => sentence)}</p>;
}

/** Reads `text` out when it changes to something. */
export function useAnnounced(text: string | undefined) {
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
}
