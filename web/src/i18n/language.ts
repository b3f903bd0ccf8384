// Which language the page speaks: what was chosen here before, else the browser's.
import { useSyncExternalStore } from 'react';

export const LANGUAGES = ['zh', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What a language calls itself. */
export const NAMES: Record<Language, string> = { zh: '中文', en: 'English' };
/** For `lang` attributes. */
export const TAGS: Record<Language, string> = { zh: 'zh-CN', en: 'en' };

const KEY = 'language';
const listeners = new Set<() => void>();

function initial(): Language {
  const kept = globalThis.localStorage?.getItem(KEY);
  if (kept === 'zh' || kept === 'en') return kept;
  return globalThis.navigator?.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

let current = initial();
const show = () => {
  if (globalThis.document) document.documentElement.lang = TAGS[current];
};
show();

export const language = () => current;

/** Changes the language of the whole page, now and after a reload. */
export function speak(chosen: Language) {
  current = chosen;
  localStorage.setItem(KEY, chosen);
  show();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The language, for a component that is to change with it. */
export const useLanguage = () => useSyncExternalStore(subscribe, language);

/** For dates and numbers: the browser's own variant of the language (en-GB) where it has one. */
export function locale(chosen = current): string {
  const own = globalThis.navigator?.language ?? '';
  return own.toLowerCase().startsWith(chosen) ? own : TAGS[chosen];
}
