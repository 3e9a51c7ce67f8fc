import { expect, test } from 'vitest';
import type { AlikeRival } from '../src/shared/records';
import { closest, contextsInWords, isClose, partsOf } from '../src/trace/alike';

const rival = (margin: number, more: Partial<AlikeRival> = {}): AlikeRival => ({
  text: 'write', how: 'same sound', acoustic: -margin, language: 0, hot: 0, second: 0, total: -margin, margin, odds: Math.exp(margin), contexts: [], ...more,
});
const word = (...rivals: AlikeRival[]) => ({ text: 'right', start: 0, end: 1, why: '', rivals });

test('the word that was won by the least is the closest', () => {
  expect(closest([word(), word(rival(5)), word(rival(2)), word(rival(9))])).toBe(2);
  expect(closest([word(), word()])).toBe(0);
});

test('a rival within 10 nats is close', () => {
  expect([isClose(word()), isClose(word(rival(10))), isClose(word(rival(10.1)))]).toEqual([false, true, false]);
});

test('parts that say nothing are left out', () => {
  expect(partsOf([rival(1)]).map(([part]) => part)).toEqual(['acoustic', 'total']);
  expect(partsOf([rival(1), rival(1, { hot: 3 })]).map(([part]) => part)).toEqual(['acoustic', 'hot', 'total']);
});

test('other contexts are told with their odds', () => {
  const contexts = [{ side: 'after' as const, word: 'to', odds: 36.4 }, { side: 'before' as const, word: 'a', odds: 1e9 }];
  expect(contextsInWords(rival(1, { contexts }))).toBe('after “to” 36 : 1; before “a” over a million : 1');
  expect(contextsInWords(rival(1))).toBe('');
});
