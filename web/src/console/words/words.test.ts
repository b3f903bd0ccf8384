import { expect, test } from 'vitest';
import { formats } from '../format';
import { en } from './en';
import { zh } from './zh';

/** Every text by its path; texts with values are called with some. */
function texts(of: object, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(of)) {
    const at = path ? `${path}.${name}` : name;
    if (typeof value === 'string') found.set(at, value);
    else if (typeof value === 'function') found.set(at, String((value as (...values: unknown[]) => unknown)('2', '2', '3', '4', '5')));
    else for (const [inner, text] of texts(value as object, at)) found.set(inner, text);
  }
  return found;
}

test('both languages say everything, also in the parts that are looked up by a word of the server', () => {
  const [english, chinese] = [texts(en), texts(zh)];
  expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
  for (const [path, text] of [...english, ...chinese]) expect(text.trim(), path).not.toBe('');
});

test('spans say their two largest units, in both languages', () => {
  const [english, chinese] = [formats('en'), formats('zh')];
  expect([0, 59, 60, 61, 3_599, 3_600, 90_061].map(english.span)).toEqual(['0 s', '59 s', '1 min', '1 min 1 s', '59 min 59 s', '1 h', '1 d 1 h']);
  expect(chinese.span(61)).toBe('1 分 1 秒');
});

test('numbers stay short and truthful', () => {
  const { short, ms, percent, money } = formats('en');
  expect([0, 0.25, 9.96, 812.4, 9_999, 12_345, 999_960].map(short)).toEqual(['0', '0.3', '10', '812', '9,999', '12.3k', '1M']);
  expect([0.84, 12.4, 1_530].map(ms)).toEqual(['0.8 ms', '12 ms', '1.5 s']);
  expect(percent(1, 3)).toBe('33.3%');
  expect(percent(0, 0)).toBe('0%');
  expect(money(19_900, 'CNY')).toBe('¥199.00');
  expect(money(500, 'JPY')).toBe('¥500');
});
