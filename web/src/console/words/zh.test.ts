import { expect, test } from 'vitest';
import { zh } from './zh';

test('advice and explanations that we know are Chinese, others stay as the server said them', () => {
  expect(zh.ready.advice('warm', 'Warm the sale.')).toContain('预热');
  expect(zh.ready.advice('something-new', 'Do it.')).toBe('Do it.');
  const can = 'Its job has ended as refused, if it had no order, and the units are for sale again. It can be read: the database would not take it.';
  expect(zh.letters.explain(can, 1)).toContain('可以读取');
  expect(zh.letters.explain('It names no job. It cannot be read, and a replay would end here again.', 0)).toContain('没有任务');
  expect(zh.letters.explain('A newer version of this program wrote it', 2)).toContain('更新版本');
  expect(zh.letters.explain('Something else.', 0)).toBe('Something else.');
});
