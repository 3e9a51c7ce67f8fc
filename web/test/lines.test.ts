import { expect, test } from 'vitest';
import type { TranslatedLine } from '../src/shared/records';
import { isRight, summary } from '../src/page/translation';

const line = (said: string): TranslatedLine =>
  ({ source: '19 mai 2024', said, right: '2024-05-19', code: 'ro', language: 'Romanian', remark: '', trace: null });

test('a translation is right to the last character or wrong', () => {
  expect(isRight(line('2024-05-19'))).toBe(true);
  expect(isRight(line('2024-05-1'))).toBe(false);
});

test('how many are right is said in a sentence', () => {
  expect(summary([line('2024-05-19'), line('')])).toBe('1 of 2 are exactly right.');
  expect(summary([line('2024-05-19'), line('2024-05-19')])).toBe('All 2 are exactly right.');
});
