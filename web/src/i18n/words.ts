// Texts by key, in both languages. A key that one of them lacks does not compile, neither does a value that a text
// needs and is not given.
import { type Language, useLanguage } from './language';

/** The names in a text's `{braces}`. */
type Holes<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never;
type Values<Text extends string> = { [Name in Holes<Text>]: string | number };
type Rest<Text extends string> = [Holes<Text>] extends [never] ? [] : [values: Values<Text>];

/** Says a text. */
export type Say<Words extends Record<string, string>> = <Key extends keyof Words & string>(
  key: Key, ...values: Rest<Words[Key]>
) => string;

export const fill = (text: string, values: Record<string, string | number> = {}) =>
  text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));

/**
 * A dictionary. `en` is written `as const` and decides which keys and values there are.
 *
 *     const { useSay } = dictionary(en, zh);   // const say = useSay();   say('greeting', { name: 'Ann' })
 */
export function dictionary<const Words extends Record<string, string>>(en: Words, zh: { [Key in keyof Words]: string }) {
  const all: Record<Language, Record<string, string>> = { en, zh };
  const speaker = (language: Language): Say<Words> =>
    (key, ...values) => fill(all[language][key] ?? key, values[0]);
  const speakers = { en: speaker('en'), zh: speaker('zh') };
  return { en, zh, say: (language: Language) => speakers[language], useSay: () => speakers[useLanguage()] };
}
