import { describe, expect, test } from 'vitest';
import type { BeamRecord, TraceRecord } from '../src/shared/records';
import { fateOf, pathTo, treeOf } from '../src/trace/beam_tree';
import { cameAfter, countOfCame } from '../src/trace/came';
import { inWords as linksInWords } from '../src/trace/links';
import { Pair } from '../src/trace/pair';
import { inWords as stepInWords } from '../src/trace/reading';
import { rowOf, rowPlaces } from '../src/trace/rows';
import { Stage } from '../src/trace/stage';
import { piecesOf } from '../src/trace/words';
import { layerOf, rowsOf } from './layers';

// A man | The man | "A ma" is given up, and so is "The ma" a step later.
const beam: BeamRecord = {
  width: 2,
  tokens: ['A', 'The', ' man', ' man', ' ma', '\n', '\n', '.'],
  steps: [0, 0, 1, 1, 1, 2, 2, 2],
  parents: [-1, -1, 1, 0, 0, 3, 2, 2],
  log_p: [-0.5, -1, -0.25, -0.25, -3, -0.1, -0.1, -4],
  sums: [-0.5, -1, -1.25, -0.75, -3.5, -0.85, -1.35, -5.25],
  fates: ['kept', 'kept', 'kept', 'kept', 'pruned', 'finished', 'finished', 'pruned'],
  ranks: [-1, -1, -1, -1, -1, 0, 1, -1],
  scores: [null, null, null, null, null, -0.28, -0.45, null],
};

describe('a beam search', () => {
  const tree = treeOf(beam);
  test('keeps its answer in the first lane, and every other hypothesis in one of its own', () => {
    expect(pathTo(beam, 5)).toEqual([0, 3, 5]);
    expect([0, 3, 5].map((node) => tree.lanes[node])).toEqual([0, 0, 0]);
    expect([1, 2, 6].map((node) => tree.lanes[node])).toEqual([1, 1, 1]);
    expect(tree.wins).toEqual([true, false, false, true, false, true, false, false]);
    expect(tree.ranks.map((rank) => (rank < Infinity ? rank : null))).toEqual([0, 1, 1, 0, null, 0, 1, null]);
  });
  test('never draws two nodes in one place, and a branch below what it leaves', () => {
    const places = beam.steps.map((step, node) => `${step} ${tree.lanes[node]}`);
    expect(new Set(places).size).toBe(places.length);
    beam.parents.forEach((parent, node) => parent >= 0 && expect(tree.lanes[node]).toBeGreaterThanOrEqual(tree.lanes[parent]));
    expect(tree.rows).toBe(3);
  });
  test('says what became of each, and why', () => {
    expect(fateOf(beam, tree, 0)).toBe('The answer begins so.');
    expect(fateOf(beam, tree, 1)).toBe('Number 2 of what was found begins so.');
    expect(fateOf(beam, tree, 4)).toBe('Given up at step 2: the last of the 2 that were kept has −1.25.');
    expect(fateOf(beam, tree, 5)).toBe('The answer: it ended with the score −0.28, the best of all.');
    expect(fateOf(beam, tree, 6)).toBe('It ended with the score −0.45 and is number 2: the answer has −0.28.');
    expect(fateOf(beam, tree, 7)).toBe('Given up at step 3: others were kept.');
    const lost = { ...beam, ranks: [-1, -1, -1, -1, -1, 0, -1, -1] };
    expect(fateOf(lost, treeOf(lost), 6)).toBe('It ended with the score −0.45 and is not among the answers: the answer has −0.28.');
    expect(fateOf(lost, treeOf(lost), 1)).toBe('It was kept, and given up later: none of what follows it was good enough.');
    const open = { ...lost, fates: beam.fates.map((fate, node) => (node === 6 ? 'kept' : fate)) };
    expect(fateOf(open, treeOf(open), 6)).toBe('The search ended before it did: enough others had ended with a better score.');
  });
});

/** Three sources, four steps. */
function translated(links = true): Pair {
  const made = (inputs: string[], more: Partial<TraceRecord>) => ({
    model: '', inputs, layers: [layerOf('GRU', { steps: inputs.length })], losses: null, expected: null, answers: null, notes: [], loss: '', influence: null,
    properties: {}, joined: true, ...more,
  }) as TraceRecord;
  const targets = ['A', ' big', ' man', '\n'];
  const weights = rowsOf([[0.9, 0.05, 0.05], [0.1, 0.7, 0.2], [0, 0.2, 0.8], [0.02, 0.05, 0.93]]);
  const target = made(['\n', ...targets.slice(0, 3)], {
    expected: { choices: targets.map(() => ['A']), chances: rowsOf(targets.map(() => [1])), came: targets },
    ...(links ? { links: { sources: ['Ein', ' großer', ' Mann'], targets, weights } } : {}),
  });
  return new Pair(new Stage(made(['Ein', ' großer', ' Mann'], {})), new Stage(target));
}

describe('the one cursor of two sequences', () => {
  // A page has it; the stages ask for the theme.
  globalThis.window = { matchMedia: () => ({ matches: false, addEventListener: () => undefined }) } as unknown as Window & typeof globalThis;
  test('follows in the other one where the links lead', () => {
    const pair = translated();
    pair.target.go(1);
    expect([pair.leads, pair.source.now.step]).toEqual([pair.target, 1]);
    pair.source.go(0);
    expect([pair.leads, pair.target.now.step]).toEqual([pair.source, 0]);
    pair.source.go(2);
    expect(pair.target.now.step).toBe(3);
    expect(pair.lit.map((weight) => Number(weight.toFixed(2)))).toEqual([0.05, 0.2, 0.8, 0.93]);
    pair.take(pair.target);
    expect([pair.leads, pair.target.now.step]).toEqual([pair.target, 3]);
    expect(pair.lit.map((weight) => Number(weight.toFixed(2)))).toEqual([0.02, 0.05, 0.93]);
  });
  test('stays in the other one where there are none', () => {
    const pair = translated(false);
    pair.source.go(2);
    pair.target.go(1);
    expect([pair.lit, pair.source.now.step]).toEqual([[], 2]);
  });
  test('is told in words, from both sides', () => {
    const pair = translated();
    pair.target.go(1);
    expect(linksInWords(pair.target)).toBe('For “big” it looked most at “großer” (70%), “Mann” (20%), “Ein” (10%).');
    pair.source.go(1);
    expect(linksInWords(pair.target)).toBe('At “großer” looked most “big” (70%) and “man” (20%).');
  });
});

test('a step is said with what it looked at', () => {
  const { target } = translated();
  target.go(1);
  expect(stepInWords(target)).toContain('expects A 100%; looked most at großer 70%; unit');
});

test('what came is what was answered, of the last step too', () => {
  const { trace } = translated().target;
  expect(trace.inputs.map((_, step) => cameAfter(trace, step))).toEqual(['A', ' big', ' man', '\n']);
  expect(countOfCame(trace)).toBe(4);
  const read = { ...trace, expected: null };
  expect([cameAfter(read, 0), cameAfter(read, 3), countOfCame(read)]).toEqual(['A', undefined, 3]);
});

test('a piece stands without its space, and with a hyphen where it goes on with a word', () => {
  expect(piecesOf(['Ein', ' blau', 'es', ' Hemd', '.', ' ', '\n'], true)).toEqual(['Ein', 'blau', '‐es', 'Hemd', '.', '␣', '⏎']);
  expect(piecesOf(['so', 'so'], false)).toEqual(['so', 'so']);
  expect(piecesOf([...'so', ' ', 'x'], true)).toEqual(['s', 'o', '␣', 'x']);
});

test('the shorter row stands in the middle of the longer one', () => {
  const [above, below, wide] = rowPlaces(rowOf(['a', 'bbbb', 'c']), rowOf(['dd'], 50));
  expect(wide).toBe(rowOf(['a', 'bbbb', 'c']).width);
  expect(below).toEqual([wide / 2]);
  expect(above[1]).toBeCloseTo(wide / 2);
});
