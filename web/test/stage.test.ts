import { describe, expect, test } from 'vitest';
import { limitOf, liveliest, nameOf, quantitiesOf, quantityOf, spelled } from '../src/trace/stage';
import { layerOf, rowsOf } from './layers';

const gradients = { h: rowsOf(Array.from({ length: 6 }, () => [1, 2, 3, 4])) };

describe('a layer', () => {
  test('is named as people count, from one', () => {
    expect(nameOf({ ...layerOf('LSTM'), name: 'encoder' })).toBe('encoder, layer 1 (LSTM)');
    expect(nameOf({ ...layerOf('GRU', { reverse: true }), index: 1 })).toBe('GRU, layer 2, backward (GRU)');
  });
  test('shows states, gates and gradients, each by a name of its own', () => {
    const layer = { ...layerOf('LSTM'), gradients };
    const names = quantitiesOf(layer);
    expect(names).toEqual(['h', 'c', 'i', 'f', 'g', 'o', 'dh']);
    expect(quantityOf(layer, 'h')).toBe(layer.states.h);
    expect(quantityOf(layer, 'f')).toBe(layer.gates.f);
    expect(quantityOf(layer, 'dh')).toBe(gradients.h);
    expect(names.map(spelled)).toEqual(['h', 'c', 'gate i', 'gate f', 'g', 'gate o', 'gradient by h']);
  });
  test('begins at the unit that moves most', () => {
    const layer = layerOf('RNN_TANH', { units: 3, steps: 4 });
    layer.states.h = rowsOf([[0.9, 0, 0], [0.9, 0.5, 0.1], [0.9, -0.5, 0.2], [0.9, 0.5, 0.3]]);
    expect(liveliest(layer)).toBe(1);
  });
});

describe('full colour', () => {
  test('of a gate is 1, whatever its values', () => {
    expect(limitOf(rowsOf([[0.1, 0.2]]), 'f')).toBe(1);
  });
  test('of the rest is what nearly all values stay below, so that one outlier does not fade them', () => {
    const row = Array.from({ length: 99 }, (_, k) => (k % 2 ? 0.5 : -0.5));
    expect(limitOf(rowsOf([[...row, 1e6]]), 'h')).toBe(0.5);
  });
  test('is never zero', () => {
    expect(limitOf(rowsOf([[0, 0]]), 'h')).toBe(1);
  });
});
