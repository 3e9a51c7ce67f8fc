// Layers with numbers that the cell's own equation gave, as a trace holds them.
import type { Rows, TraceLayer } from '../src/shared/records';

/** Rows as the page has them. */
export const rowsOf = (values: number[][]): Rows => values.map((row) => Float32Array.from(row));
const each = <A, B>(parts: Record<string, A>, change: (part: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, change(part)]));

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** A number between -1.5 and 1.5 that depends on where it stands. */
const drawn = (...place: number[]) => 1.5 * Math.sin(place.reduce((sum, k, at) => sum + (k + 1) * (12.9898 + 65.233 * at), 0));

/** `cuts` are the steps at which a new sequence begins. */
export function layerOf(cell: 'LSTM' | 'GRU' | 'RNN_TANH', options: { reverse?: boolean; cuts?: number[]; steps?: number; units?: number } = {}): TraceLayer {
  const { reverse = false, cuts = [], steps = 6, units = 4 } = options;
  const grid = () => Array.from({ length: steps }, () => new Array<number>(units).fill(0));
  const before = { h: Array.from({ length: units }, (_, unit) => drawn(unit, 1) / 2), ...(cell === 'LSTM' ? { c: Array.from({ length: units }, (_, unit) => drawn(unit, 2)) } : {}) } as Record<string, number[]>;
  const states: Record<string, number[][]> = cell === 'LSTM' ? { h: grid(), c: grid() } : { h: grid() };
  const names: string[] = { LSTM: ['i', 'f', 'g', 'o'], GRU: ['r', 'z', 'n'], RNN_TANH: [] }[cell];
  const gates: Record<string, number[][]> = Object.fromEntries(names.map((name) => [name, grid()]));
  const order = Array.from({ length: steps }, (_, k) => (reverse ? steps - 1 - k : k));
  order.forEach((step, k) => {
    for (let unit = 0; unit < units; unit += 1) {
      const old = (name: string) => (cuts.includes(step) ? 0 : k ? states[name][order[k - 1]][unit] : before[name][unit]);
      const gate = (name: string) => {
        const place = names.indexOf(name);
        const value = drawn(step, unit, place);
        return (gates[name][step][unit] = name === 'g' || name === 'n' ? Math.tanh(value) : sigmoid(value));
      };
      if (cell === 'LSTM') {
        const c = (states.c[step][unit] = gate('f') * old('c') + gate('i') * gate('g'));
        states.h[step][unit] = gate('o') * Math.tanh(c);
      } else if (cell === 'GRU') {
        gate('r');
        const z = gate('z');
        states.h[step][unit] = (1 - z) * gate('n') + z * old('h');
      } else {
        states.h[step][unit] = Math.tanh(drawn(step, unit) + 0.5 * old('h'));
      }
    }
  });
  return {
    name: cell, index: 0, reverse, cell, units: Array.from({ length: units }, (_, unit) => 10 + unit),
    states: each(states, rowsOf), before: each(before, (values) => Float32Array.from(values)), gates: each(gates, rowsOf),
    terms: {}, rates: {}, half_lives: {}, gradients: {}, norms: {}, cuts: Array.from({ length: steps }, (_, step) => cuts.includes(step)),
  };
}
