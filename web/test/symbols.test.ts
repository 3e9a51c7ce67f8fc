import { describe, expect, test } from 'vitest';
import { heard, named, readAt } from '../src/trace/symbols';

describe('symbols of a trace', () => {
  const translation = { model: 'Translator', inputs: ['\n', ' a', '\n'] };
  test('end a sentence where a translator has a line break', () => {
    expect(named(translation, '\n')).toBe('the end of the sentence');
    expect(heard(translation, '\n')).toBe('the end of the sentence');
    expect(named(translation, 'a')).toBe('“a”');
    expect(heard(translation, 'a')).toBe('a');
  });
  test('begin a translation with the same symbol', () => {
    expect([0, 1, 2].map((step) => readAt(translation, step))).toEqual(['the beginning of the translation', '“ a”', 'the end of the sentence']);
    expect(readAt(translation, 1, heard)).toBe(' a');
  });
  test('are line breaks for all others', () => {
    const text = { model: 'Generator', inputs: ['\n'] };
    expect([named(text, '\n'), heard(text, '\n'), readAt(text, 0)]).toEqual(['new line', 'new line', 'new line']);
  });
});
