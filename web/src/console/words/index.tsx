/** The language of the page: chosen once, kept on this device, Chinese or English. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { type Format, formats, type Lang } from '../format';
import { en, type Words } from './en';
import { zh } from './zh';

interface Tongue {
  lang: Lang;
  words: Words;
  format: Format;
  change: () => void;
}

const KEPT_AS = 'console-language';
const WORDS: Record<Lang, Words> = { en, zh };

const Context = createContext<Tongue | undefined>(undefined);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [lang, setLang] = useState<Lang>(preferred);
  useEffect(() => {
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  }, [lang]);
  const tongue = useMemo<Tongue>(() => {
    const change = () => {
      const other: Lang = lang === 'en' ? 'zh' : 'en';
      try {
        localStorage.setItem(KEPT_AS, other);
      } catch {
        // Not kept: asked again next time.
      }
      setLang(other);
    };
    return { lang, words: WORDS[lang], format: formats(lang), change };
  }, [lang]);
  return <Context value={tongue}>{children}</Context>;
}

export function useTongue(): Tongue {
  const tongue = useContext(Context);
  if (!tongue) throw new Error('useTongue belongs below LanguageProvider');
  return tongue;
}

function preferred(): Lang {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    if (kept === 'en' || kept === 'zh') return kept;
  } catch {
    // Storage may be forbidden; the browser's language decides.
  }
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
