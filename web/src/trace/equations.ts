// A unit's equation with its own numbers in it, so that they add up to what the heat map shows.
import type { TraceLayer } from '../shared/records';

const text = (value: number) => value.toFixed(3).replace('-', '−');

/** The lines for one unit at one step; a cell that tells no gates has its state alone. */
export function equations(layer: TraceLayer, step: number, unit: number): string[] {
  const at = (part: Record<string, number[][]>, name: string) => part[name][step][unit];
  const old = (name: string) => {
    if (layer.cuts[step]) return 0;
    const place = layer.reverse ? step + 1 : step - 1;
    return layer.states[name][place]?.[unit] ?? layer.before[name][unit];
  };
  const { gates, states } = layer;
  if (layer.cell === 'LSTM' && gates.f) {
    const [i, f, g, o] = ['i', 'f', 'g', 'o'].map((name) => at(gates, name));
    const [c, hidden] = [at(states, 'c'), at(states, 'h')];
    return [
      `c = f · c before + i · g = ${text(f)} · ${text(old('c'))} + ${text(i)} · ${text(g)} = ${text(c)}`,
      `h = o · tanh c = ${text(o)} · ${text(Math.tanh(c))} = ${text(hidden)}`,
    ];
  }
  if (layer.cell === 'GRU' && gates.z) {
    const [z, n] = ['z', 'n'].map((name) => at(gates, name));
    return [`h = (1 − z) · n + z · h before = ${text(1 - z)} · ${text(n)} + ${text(z)} · ${text(old('h'))} = ${text(at(states, 'h'))}`];
  }
  return [`h = ${text(at(states, 'h'))}; before ${text(old('h'))}`];
}
