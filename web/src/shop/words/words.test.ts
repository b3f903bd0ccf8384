import { expect, it } from 'vitest';
import { en, zh } from './index';

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

it('both languages are given the same values', () => {
  for (const [key, text] of Object.entries(en)) expect([key, holes(zh[key as keyof typeof en])]).toEqual([key, holes(text)]);
});

it('no text is empty', () => {
  for (const text of [...Object.values(en), ...Object.values(zh)]) expect(text.trim()).not.toBe('');
});
