import { describe, expect, test } from 'vitest';
import { counted, duration, fixed, listed, number, percent, pointsBetween, powerOfTen, quoted, spoken, visible } from '../src/shared/format';

describe('numbers', () => {
  test('have about so many significant digits, grouped thousands and a true minus', () => {
    expect(number(0.123456)).toBe('0.123');
    expect(number(-12.3456)).toBe('−12.3');
    expect(number(1234567)).toBe('1,234,567');
    expect(number(0)).toBe('0');
    expect(number(0.123456, 2)).toBe('0.12');
  });
  test('that are not there are an en dash', () => {
    for (const nothing of [null, undefined, NaN, Infinity, -Infinity]) {
      expect(number(nothing)).toBe('–');
      expect(fixed(nothing, 2)).toBe('–');
    }
    expect(duration(null)).toBe('–');
  });
  test('in columns keep their decimals', () => {
    expect(fixed(1, 2)).toBe('1.00');
    expect(fixed(-0.126, 2)).toBe('−0.13');
  });
  test('that are chances never say a certainty that is none', () => {
    expect([0, 0.004, 0.005, 0.5, 0.994, 0.995, 0.9995].map(percent)).toEqual(['<1', '<1', '1', '50', '99', '>99', '100']);
  });
  test('that changed by points changed as they are shown', () => {
    expect([[0.646, 0.634], [0.645, 0.6349], [0.001, 0.004], [0.5, 0.999]].map(([before, after]) => pointsBetween(before, after))).toEqual([-2, -2, 0, 50]);
  });
  test('that count one thing count it in the singular', () => {
    expect([0, 1, 2, 1234].map((count) => counted(count, 'step'))).toEqual(['0 steps', '1 step', '2 steps', '1,234 steps']);
  });
  test('that are powers of ten are short', () => {
    expect([-11, -3, -2, 0, 2, 3].map(powerOfTen)).toEqual(['10⁻¹¹', '10⁻³', '0.01', '1', '100', '10³']);
  });
  test('that are times are seconds, then minutes', () => {
    expect(duration(1.234)).toBe('1.2 s');
    expect(duration(90)).toBe('90 s');
    expect(duration(161)).toBe('2 min 41 s');
    expect(duration(179.7)).toBe('3 min 0 s');
  });
});

describe('symbols', () => {
  test('that are blank are drawn as signs', () => {
    expect([' ', '\n', '\t', '\u0001', 'a', 'two words'].map(visible)).toEqual(['␣', '⏎', '⇥', '␁', 'a', 'two words']);
  });
  test('are said as words where they are blank', () => {
    expect(spoken(' ')).toBe('space');
    expect(quoted('\n')).toBe('new line');
    expect(quoted('a')).toBe('“a”');
  });
  test('in a row are listed with one and', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c']);
  });
});
