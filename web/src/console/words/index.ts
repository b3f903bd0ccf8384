/** The console's words and formats in the language that the page speaks. */

import { type Language, useLanguage } from '../../i18n';
import { type Format, formats } from '../format';
import { en, type Words } from './en';
import { zh } from './zh';

export interface Tongue {
  words: Words;
  format: Format;
}

const TONGUES: Record<Language, Tongue> = {
  en: { words: en, format: formats('en') },
  zh: { words: zh, format: formats('zh') },
};

export const useTongue = (): Tongue => TONGUES[useLanguage()];
