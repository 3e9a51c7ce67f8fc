import { describe, expect, test } from 'vitest';
import type { TraceRecord } from '../src/shared/records';
import { stepAt } from '../src/trace/player';
import { inWords, runsOf, stepInWords } from '../src/trace/speech';
import { rowsOf } from './layers';

const record = (path: string[], text: string, names = ['', 'a', 'b']) => ({
  spectrogram: { values: [], hop: 0.01, path },
  heard: { text, names, chances: rowsOf(path.map(() => [0.2, 0.7, 0.1].slice(0, names.length))), words: [], reference: [] },
} as unknown as TraceRecord);

test('the step of a time is the one that lasts then, the begin of a step its own', () => {
  const steps = Array.from({ length: 100 }, (_, step) => step);
  // A browser keeps a time as a whole number of microseconds.
  expect(steps.map((step) => stepAt(Math.floor(step * 0.03 * 1e6) / 1e6, 0.03, 100))).toEqual(steps);
  expect([stepAt(0.0299, 0.03, 100), stepAt(9, 0.03, 100), stepAt(-1, 0.03, 100)]).toEqual([0, 99, 0]);
});

test('a run of one symbol is one, and a blank parts two of the same', () => {
  expect(runsOf(['', 'l', 'l', '', 'l'])).toEqual([{ symbol: 'l', first: 1, last: 2 }, { symbol: 'l', first: 4, last: 4 }]);
});

test('of a transducer the same symbol on two steps in a row is said twice', () => {
  expect(runsOf(['', 'l', 'l'], true)).toEqual([{ symbol: 'l', first: 1, last: 1 }, { symbol: 'l', first: 2, last: 2 }]);
});

describe('what is heard, in words', () => {
  test('is of the path alone where the search found the same', () => {
    expect(inWords(record(['a', '', ' ', 'b'], 'a b'), 'a b')).toContain('of the path each run');
    // Of a model of words the path has no spaces.
    expect(inWords(record(['on', '', 'off'], 'on off'), 'on off')).toContain('of the path each run');
    expect(inWords(record(['a', '', 'b'], 'a'), 'a')).toContain('says “ab”');
    expect(inWords(record(['', ''], ''), '')).toBe('It hears nothing.');
  });
  test('of a search that a language had a say in tells of it', () => {
    const found = record(['a', '', 'b'], 'a');
    const rival = { text: 'ab', language: 0, hot: 0, second: 0 };
    found.alike = [{ text: 'a', rivals: [rival] }] as unknown as TraceRecord['alike'];
    expect(inWords(found, 'a')).toMatch(/say the same\.$/);
    found.alike![0].rivals[0].language = -1.5;
    expect(inWords(found, 'a')).toMatch(/say the same, and asks the language\.$/);
  });
  test('of a transducer speaks of no other path, and of every symbol that was said', () => {
    const found = record(['a', 'a', 'b '], 'aab');
    found.heard!.repeats = true;
    expect(inWords(found, 'aab')).toBe('It hears “aab”: below the sound stands what each step says. A step may say several symbols, or none.');
    expect(stepInWords(found, 1, 0.03)).toContain('so far “aa”');
  });
  test('of labels says how sure the end is', () => {
    expect(inWords(record(['', ''], 'on', ['off', 'on']), 'on')).toBe('It hears “on”, 70% sure at the end.');
  });
  test('of a step names its likeliest symbols, and all up to it', () => {
    expect(stepInWords(record(['a', '', 'b'], 'ab'), 1, 0.03)).toBe('At 0.03 s: “a” 70%, no symbol 20%, “b” 10%; so far “a”.');
    expect(stepInWords(record(['', ''], 'on', ['off', 'on']), 1, 0.03)).toBe('At 0.03 s: “on” 70%, “off” 20%.');
  });
});
