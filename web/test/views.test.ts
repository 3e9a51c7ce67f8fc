import { describe, expect, test } from 'vitest';
import { slopeOf } from '../src/trace/gradient';
import { flowOf } from '../src/trace/flow';
import { windowOf } from '../src/trace/loop';
import { keptAt } from '../src/trace/tiles';
import { influenceAt, inWords } from '../src/trace/memory';
import { byMemory, byProperty, correlation } from '../src/trace/orders';
import { unitsOn } from '../src/trace/spans';
import { unpacked } from '../src/shared/unpack';
import { layerOf, rowsOf } from './layers';

const packed = (shape: number[], values: number[]) =>
  ({ shape, f32: btoa(String.fromCharCode(...new Uint8Array(Float32Array.from(values).buffer))) });

describe('packed arrays', () => {
  test('are rows and numbers again, wherever they stand', () => {
    const found = unpacked({ name: 'a', layers: [{ h: packed([2, 2], [1, -2.5, 3, 4]) }], losses: packed([2], [0.5, NaN]) }) as any;
    expect(found.name).toBe('a');
    expect(found.layers[0].h.map((row: Float32Array) => [...row])).toEqual([[1, -2.5], [3, 4]]);
    expect([...found.losses]).toEqual([0.5, NaN]);
    expect(found.losses).toBe(found.losses);
    expect(Object.keys(found)).toEqual(['name', 'layers', 'losses']);
  });
});

describe('units that are on in a span', () => {
  const rows = rowsOf([[0, 1, 0, 0.01], [1, 1, -1, 0], [1, 1, -1, 0], [0, 1, 0, 0], [1, 1, 0, 0]]);
  test('are off right before and after it, the most exact first', () => {
    expect(unitsOn(rows, [1, 2], 1)).toEqual([{ unit: 2, sign: -1, elsewhere: 0 }, { unit: 0, sign: 1, elsewhere: 1 / 3 }]);
  });
  test('may begin with the text, and are never those that hardly move', () => {
    expect(unitsOn(rows, [0, 0], 1)).toEqual([]);
    expect(unitsOn(rows, [0, 4], 1)).toEqual([{ unit: 1, sign: 1, elsewhere: 0 }]);
  });
});

describe('orders', () => {
  test('put those first that hold longest', () => {
    expect(byMemory(Float32Array.from([1, Infinity, 3]), 3).map(({ unit }) => unit)).toEqual([1, 2, 0]);
    expect(byMemory(null, 2).map(({ unit }) => unit)).toEqual([0, 1]);
  });
  test('put those first that follow a property, up or down', () => {
    const rows = rowsOf([[1, 0, 5], [1, 1, 3], [1, 0, 5.5], [1, 2, 1]]);
    const ranked = byProperty(rows, Float32Array.from([0, 1, 0, 2]));
    expect(ranked.map(({ unit }) => unit)).toEqual([1, 2, 0]);
    expect(ranked[0].score).toBeCloseTo(1, 6);
    expect(ranked[1].score).toBeLessThan(-0.9);
  });
  test('what never changes, or is no number, follows nothing', () => {
    expect(correlation([1, 1], [0, 1])).toBe(0);
    expect(correlation([NaN, 1], [0, 1])).toBe(0);
  });
});

describe('the chain', () => {
  test('shows the steps around the cursor, as many as there is room for', () => {
    expect(windowOf(5, 20, 5)).toEqual([3, 7]);
    expect(windowOf(0, 20, 5)).toEqual([0, 4]);
    expect(windowOf(19, 20, 5)).toEqual([15, 19]);
    expect(windowOf(1, 3, 9)).toEqual([0, 2]);
    expect(windowOf(7, 20, 0)).toEqual([7, 7]);
  });
  test('tells what a step keeps, and nothing where a new sequence begins', () => {
    const layer = layerOf('LSTM', { cuts: [3] });
    const mean = layer.gates.f[2].reduce((sum, value) => sum + value, 0) / 4;
    expect(keptAt(layer, 2)).toBeCloseTo(mean, 6);
    expect(keptAt(layer, 3)).toBe(0);
    expect(keptAt(layerOf('RNN_TANH'), 2)).toBeNull();
  });
});

describe('influence', () => {
  const size = rowsOf([[4, 9], [1, 2], [5, 0.5]]);
  test('stands at its inputs, the latest first in the record', () => {
    const [found] = influenceAt({ of: 'x', ahead: 0, size, product: size }, 2, 3);
    expect([...found]).toEqual([0, 0.5, 5]);
    expect([...influenceAt({ of: 'x', ahead: 0, size, product: size }, 0, 3)[0]]).toEqual([4, 0, 0]);
  });
  test('looks ahead in two directions, and is the same for all steps of one answer', () => {
    const both = rowsOf([[1, 2, 3], [4, 5, 6]]);
    expect([...influenceAt({ of: 'x', ahead: 1, size: both, product: both }, 0, 2)[0]]).toEqual([2, 1]);
    const one = rowsOf([[7, 8]]);
    expect([...influenceAt({ of: 'x', ahead: 0, size: one, product: one }, 1, 2)[0]]).toEqual([7, 8]);
  });
  test('in words names the inputs that count most and how far half of it reaches', () => {
    expect(inWords(['a', 'b', 'c'], Float32Array.from([6, 1, 3]), 2))
      .toBe('At step 3 most comes from “a” at step 1 (60%), “c” at step 3 (30%) and “b” at step 2 (10%); half of all lies within 2 steps.');
    expect(inWords(['a'], Float32Array.from([0]), 0)).toBe('At step 1 no input moves it.');
  });
});

test('the slope of a gradient is that of its logarithm', () => {
  expect(slopeOf([1e-4, 1e-3, 1e-2, 1e-1])).toBeCloseTo(1, 9);
  expect(slopeOf([1, 0, 1, NaN, 1])).toBeCloseTo(0, 9);
  expect(slopeOf([1, 10])).toBeNull();
});

describe.each(['LSTM', 'GRU'] as const)('flows of a %s', (cell) => {
  test('meet in the state that the cell passes on', () => {
    const layer = layerOf(cell, { cuts: [3] });
    for (let step = 0; step < 6; step += 1) {
      const { ribbons } = flowOf(layer, step, 1)!;
      const value = (name: string) => ribbons.find((one) => one.name === name)!.value;
      if (cell === 'LSTM') {
        expect(value('f · c before') + value('i · g')).toBeCloseTo(value('c, goes on'), 5);
        expect(value('h, the output')).toBeCloseTo(layer.states.h[step][1], 6);
      } else {
        expect(value('z · h before') + value('(1 − z) · n')).toBeCloseTo(value('h, goes on, and is the output'), 5);
      }
    }
  });
});

test('a cell that tells nothing has no flows', () => {
  expect(flowOf(layerOf('RNN_TANH'), 0, 0)).toBeNull();
});
