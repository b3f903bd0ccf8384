import { Button } from '../ui';
import { LANGUAGES, NAMES, TAGS, speak, useLanguage } from './language';

/** Offers the other language, in its own words. */
export function LanguageSwitch() {
  const current = useLanguage();
  const other = LANGUAGES.find((one) => one !== current) ?? current;
  return <Button weight="text" lang={TAGS[other]} onClick={() => speak(other)}>{NAMES[other]}</Button>;
}
