import { describe, expect, test } from 'vitest';
import { freest } from '../src/lab/chart';
import type { Facts, LabRecord, Point } from '../src/lab/records';
import { gradientInWords, memoryInWords, times } from '../src/lab/words';

describe('the name of a level', () => {
  const place = (...curves: [number, number][][]) => freest(60, [40, 400], 100, [0, 200], curves);
  test('stands at the right end, over its line, where nothing is in its way', () => {
    expect(place()).toEqual({ x: 400, y: 95 });
    expect(place([[40, 20], [400, 20]])).toEqual({ x: 400, y: 95 });
  });
  test('goes under the line, to the middle or to the left where a curve would cross it', () => {
    expect(place([[40, 92], [400, 92]])).toEqual({ x: 400, y: 114 });
    expect(place([[300, 150], [340, 150], [345, 80], [360, 120], [400, 80]])).toEqual({ x: 250, y: 95 });
    expect(place([[150, 60], [200, 140], [240, 60], [300, 140], [340, 80], [345, 130], [360, 80], [400, 130]]).x).toBe(100);
  });
  test('stays inside the chart', () => {
    expect(freest(60, [40, 400], 8, [0, 200], [])).toEqual({ x: 400, y: 22 });
  });
});

describe('half-lives', () => {
  test('tell the longest, because few units carry far', () => {
    expect(memoryInWords([2.45, 126.4])).toBe('half-life by its gates: longest 126, median 2.5 steps');
    expect(memoryInWords([1, null])).toContain('longest for good');
    expect(memoryInWords(null)).toBe('');
  });
});

test('once is not 1 times', () => {
  expect([1, 2, 1200].map(times)).toEqual(['once', '2 times', '1,200 times']);
});

describe('the gradient in words', () => {
  const one = { cell: 'RNN', hidden_size: 4 };
  const told = (step: number, first: number | null, trouble = '') => {
    const gradient: Point[] = [[1, first], [9, 0]];
    const student = { look: { gradient }, trouble };
    const facts = { inputs: Array(9).fill('a'), settings: { students: [one, one] }, begins: [[[1, 4.7], [9, 0]], [[1, -2], [9, 0]]] };
    return gradientInWords(facts as unknown as Facts, { step, students: [student, student] } as unknown as LabRecord).split('; B')[0];
  };
  test('says that it grew, that it is gone, and how it began', () => {
    expect(told(0, 4.7)).toBe('A (RNN, 4 units) has 5 × 10⁴ times its gradient 8 steps back');
    expect(told(1, null)).toBe('A (RNN, 4 units) has nothing left of its gradient 8 steps back (before the first step: 5 × 10⁴)');
    expect(told(3, -1)).toContain('has 0.1 of its gradient left 8 steps back');
  });
  test('of what has diverged is that from before', () => {
    expect(told(3, null, 'Diverged')).toBe('A (RNN, 4 units) has diverged; before the first step it had 5 × 10⁴ times its gradient 8 steps back');
  });
});
