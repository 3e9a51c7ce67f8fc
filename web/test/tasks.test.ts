import { describe, expect, test } from 'vitest';
import type { TraceAnswers, TraceRecord } from '../src/shared/records';
import { inWords as expectedInWords } from '../src/trace/expectations';
import { inWords as stepInWords } from '../src/trace/reading';
import { changes, inWords } from '../src/trace/running';
import { inWords as tagsInWords } from '../src/trace/tags';
import { wordsOf } from '../src/trace/words';
import { layerOf, rowsOf } from './layers';

const answersOf = (chances: number[]): TraceAnswers =>
  ({ names: ['good', 'bad'], chances: rowsOf(chances.map((p) => [p, 1 - p])), running: true, chosen: [], truth: [] });

describe('the running answer', () => {
  const inputs = ['it', 'is', 'so', 'so'];
  const words = wordsOf({ inputs, joined: false });
  test('changes by the difference of what is shown', () => {
    expect(changes(words, answersOf([0.646, 0.634, 0.634, 0.25]), 0)).toEqual([null, -2, 0, -38]);
  });
  test('names the word that changed it most, in points', () => {
    expect(inWords(words, answersOf([0.646, 0.634, 0.634, 0.25]), 0)).toBe('The text ends at good 25%. “so” changed it most: down 38 points.');
    expect(inWords(words, answersOf([0.5, 0.62, 0.5, 0.52]), 0)).toBe('The text ends at good 52%. “is” and “so” changed it most, by 12 points each.');
    expect(inWords(words, answersOf([0.51, 0.54, 0.5, 0.52]), 0)).toBe('The text ends at good 52%. No word changed it by 5 points.');
  });
  test('counts the words that changed it alike where they are many', () => {
    const many = ['a', 'b', 'c', 'd', 'e'];
    const found = inWords(wordsOf({ inputs: many, joined: false }), answersOf([0.5, 0.6, 0.5, 0.6, 0.5]), 0);
    expect(found).toBe('The text ends at good 50%. 4 words changed it most, by 10 points each.');
  });
});

describe('what was expected', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const record = (inputs: string[], count = 8) => ({
    inputs, losses: null, expected: { choices: inputs.map(() => names.slice(0, count)), chances: rowsOf(inputs.map(() => names.slice(0, count).map(() => 0.1))) },
  } as unknown as TraceRecord);
  test('counts what came among the rows that are shown', () => {
    expect(expectedInWords(record(['x', 'a', 'f', 'g', 'h', 'y']))).toBe('What came was the first choice at 1 of 5 steps, and among the first 6 at 2.');
  });
  test('never counts more rows than there are', () => {
    expect(expectedInWords(record(['x', 'b'], 3))).toBe('What came was the first choice at 0 of 1 step, and among the first 3 at 1.');
  });
});

test('one right tag is one', () => {
  const answers = { names: ['D', 'N'], chances: rowsOf([[0.95, 0.05]]), running: false, chosen: ['D'], truth: ['D'] };
  expect(tagsInWords({ inputs: ['the'] } as TraceRecord, answers)).toBe('1 of 1 tag is right. Each tag is at least 90% sure.');
});

test('a step is said in one sentence: what was read, expected and answered, and the unit', () => {
  const layer = layerOf('RNN_TANH');
  const trace = {
    inputs: ['h', ' '], expected: { choices: [['e', 'a'], ['\n', 'b']], chances: rowsOf([[0.6, 0.2], [0.4, 0.3]]) },
    answers: answersOf([0.7, 0.2]),
  } as unknown as TraceRecord;
  const now = { step: 1, layer: 0, quantity: 'h', unit: 2, order: 'alike', span: null };
  expect(stepInWords({ trace, now, layer, steps: 2, values: [0.1, -0.25] }))
    .toBe('Step 2 of 2: read space; expects new line 40%; answers bad 80%; unit 12 has h −0.25.');
});
