export { LanguageSwitch } from './LanguageSwitch';
export { hour, moment, money, number, second, span, type Money } from './format';
export { type Language, LANGUAGES, language, locale, NAMES, speak, TAGS, useLanguage } from './language';
export { dictionary, fill, type Say } from './words';
