import { describe, expect, test } from 'vitest';
import { equations } from '../src/trace/equations';
import { layerOf } from './layers';

const numbers = (line: string) => (line.replaceAll('−', '-').match(/-?\d+\.\d+/g) ?? []).map(Number);
const CASES = [false, true].flatMap((reverse) => [[], [0], [3]].map((cuts) => ({ reverse, cuts })));
const everywhere = (check: (step: number, unit: number) => void) => {
  for (let step = 0; step < 6; step += 1) for (let unit = 0; unit < 4; unit += 1) check(step, unit);
};

describe.each(CASES)('the numbers in the equation re-add, reverse $reverse, cuts $cuts', (options) => {
  test('of an LSTM', () => {
    const layer = layerOf('LSTM', options);
    everywhere((step, unit) => {
      const [first, second] = equations(layer, step, unit).map(numbers);
      const [f, before, i, g, c] = first;
      expect(f * before + i * g).toBeCloseTo(c, 2);
      expect(c).toBeCloseTo(layer.states.c[step][unit], 3);
      const [o, tanh, hidden] = second;
      expect(o * tanh).toBeCloseTo(hidden, 2);
      expect(hidden).toBeCloseTo(layer.states.h[step][unit], 3);
    });
  });
  test('of a GRU', () => {
    const layer = layerOf('GRU', options);
    everywhere((step, unit) => {
      const [open, n, z, before, hidden] = numbers(equations(layer, step, unit)[0]);
      expect(open + z).toBeCloseTo(1, 2);
      expect(open * n + z * before).toBeCloseTo(hidden, 2);
      expect(hidden).toBeCloseTo(layer.states.h[step][unit], 3);
    });
  });
});

test('a new sequence begins at zero', () => {
  expect(numbers(equations(layerOf('LSTM', { cuts: [3] }), 3, 0)[0])[1]).toBe(0);
  expect(numbers(equations(layerOf('LSTM'), 3, 0)[0])[1]).not.toBe(0);
});

test('a cell that tells no gates shows its state and the one before', () => {
  const layer = layerOf('RNN_TANH');
  const [hidden, before] = numbers(equations(layer, 2, 1)[0]);
  expect(hidden).toBeCloseTo(layer.states.h[2][1], 3);
  expect(before).toBeCloseTo(layer.states.h[1][1], 3);
});
