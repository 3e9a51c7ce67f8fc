// A unit's equation with its own numbers in it, so that they add up to what the heat map shows.
import type { TraceLayer } from '../shared/records';

const text = (value: number) => value.toFixed(3).replace('-', '−');
const bracket = (value: number) => (value < 0 ? `(${text(value)})` : text(value));

/** What a unit had at a step: by name a gate ("i"), a state ("h"), a term ("i.x"), or the state before ("h before"). */
export function numbersOf(layer: TraceLayer, step: number, unit: number): (name: string) => number | undefined {
  return (name) => {
    if (name.endsWith(' before')) return before(layer, name.slice(0, -7), step, unit);
    const part = layer.gates[name] ?? layer.terms[name] ?? layer.states[name];
    return part?.[step][unit];
  };
}

/** The state that a step began with. */
function before(layer: TraceLayer, name: string, step: number, unit: number): number | undefined {
  if (!(name in layer.states)) return undefined;
  if (layer.cuts[step]) return 0;
  const place = layer.reverse ? step + 1 : step - 1;
  return layer.states[name][place]?.[unit] ?? layer.before[name][unit];
}

/** The lines for one unit at one step; a cell that tells no gates has its state alone. */
export function equations(layer: TraceLayer, step: number, unit: number): string[] {
  const at = numbersOf(layer, step, unit);
  const { gates, rates, states } = layer;
  const value = (name: string) => at(name)!;
  /** The last line of a state: what was made, with zoneout the old one in it. */
  const kept = (name: string, made: string, result: number) => {
    const rate = rates[name];
    if (!rate) return [`${name} = ${made} = ${text(value(name))}`];
    return [
      `${name}~ = ${made} = ${text(result)}`,
      `${name} = ${text(rate)} · ${name} before + ${text(1 - rate)} · ${name}~ = ${text(rate)} · ${bracket(value(`${name} before`))} + ${text(1 - rate)} · ${bracket(result)} = ${text(value(name))}`,
    ];
  };
  if (layer.cell === 'LSTM' && gates.f && states.c) {
    const [i, f, g, o] = ['i', 'f', 'g', 'o'].map(value);
    const c = f * value('c before') + i * g;
    const seen = at('c.n') ?? c;
    return [
      ...['i', 'f', 'o'].flatMap((name) => gate(layer, at, name, 'σ')),
      ...gate(layer, at, 'g', 'tanh'),
      ...kept('c', `f · c before + i · g = ${text(f)} · ${bracket(value('c before'))} + ${text(i)} · ${bracket(g)}`, c),
      ...(layer.terms['c.n'] ? [`N(c) = ${text(seen)}, as layer normalisation leaves it`] : []),
      ...kept('h', `o · tanh ${layer.terms['c.n'] ? 'N(c)' : 'c'} = ${text(o)} · ${bracket(Math.tanh(seen))}`, o * Math.tanh(seen)),
    ];
  }
  if (layer.cell === 'GRU' && gates.z) {
    const [r, z, n] = ['r', 'z', 'n'].map(value);
    const h = (1 - z) * n + z * value('h before');
    const terms = layer.terms['n.x']
      ? [`n = tanh(x part + r · h part) = tanh(${text(value('n.x'))} + ${text(r)} · ${bracket(value('n.h'))}) = ${text(n)}`]
      : [];
    return [
      ...['r', 'z'].flatMap((name) => gate(layer, at, name, 'σ')), ...terms,
      ...kept('h', `(1 − z) · n + z · h before = ${text(1 - z)} · ${bracket(n)} + ${text(z)} · ${bracket(value('h before'))}`, h),
    ];
  }
  if (layer.cell.startsWith('RNN') && layer.terms['h.x']) {
    const sum = value('h.x') + value('h.h');
    const [name, h] = layer.cell === 'RNN_RELU' ? ['relu', Math.max(0, sum)] : ['tanh', Math.tanh(sum)];
    return kept('h', `${name}(x part + h part) = ${name}(${text(value('h.x'))} + ${bracket(value('h.h'))})`, h);
  }
  if (layer.terms['h.a']) {
    return [`h = a · h before + b = ${text(value('h.a'))} · ${bracket(value('h before'))} + ${bracket(value('h.b'))} = ${text(value('h'))}`];
  }
  return [`h = ${text(value('h'))}; before ${text(value('h before'))}`];
}

/** The line of a gate: what the input and the state before bring to it. */
function gate(layer: TraceLayer, at: (name: string) => number | undefined, name: string, function_: string): string[] {
  if (!layer.terms[`${name}.x`]) return [];
  const peephole = at(`${name}.c`);
  const parts = ['x part', 'h part', ...(peephole === undefined ? [] : ['c part'])].join(' + ');
  const numbers = [text(at(`${name}.x`)!), bracket(at(`${name}.h`)!), ...(peephole === undefined ? [] : [bracket(peephole)])].join(' + ');
  return [`${name} = ${function_}(${parts}) = ${function_}(${numbers}) = ${text(at(name)!)}`];
}
