// Names and findings in words; what a chart shows is also said.
import { number } from '../shared/format';
import type { Facts, LabRecord, Look, Point, StudentSettings } from './records';

export const NAMES = ['A', 'B'];

/** How the weights begin. */
export const INITS: Record<string, string> = {
  torch: 'as PyTorch', orthogonal: 'orthogonal', identity: 'identity, relu', large: 'large (twice orthogonal)',
  forget: 'forget gate open', chrono: 'gates open for long',
};

/** `LSTM, 32 units`; `feedforward, 32 units`. */
export function nameOf(one: StudentSettings): string {
  return `${one.cell === 'none' ? 'feedforward' : one.cell}, ${one.hidden_size} ${one.hidden_size === 1 ? 'unit' : 'units'}`;
}

/** What tells it from a plain one of its kind. */
export function detailsOf(one: StudentSettings): string {
  const begins = one.cell === 'none' || one.init === 'torch' ? null : `begins: ${INITS[one.init]}`;
  const clip = one.clip > 0 ? `clipped at ${number(one.clip)}` : 'not clipped';
  return [begins, `${one.optimizer === 'sgd' ? 'SGD' : 'Adam'} at ${number(one.learning_rate)}`, clip].filter(Boolean).join(' · ');
}

const RAISED: Record<string, string> = { '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹' };

/** 10 to a whole power. */
export function power(exponent: number): string {
  return `10${[...String(exponent)].map((sign) => RAISED[sign]).join('')}`;
}

/** A size of which the logarithm is known: `0.11`, `2 × 10⁻¹²`. */
export function sizeOf(log: number): string {
  if (log > -2.3 && log < 4) return number(10 ** log, 2);
  const exponent = Math.floor(log);
  const digits = Math.round(10 ** (log - exponent));
  return digits === 10 ? power(exponent + 1) : digits === 1 ? power(exponent) : `${digits} × ${power(exponent)}`;
}

export const last = (points: Point[]): number | null => points.at(-1)?.[1] ?? null;

/** `A (RNN, 32 units) …; B (…) …`. */
export function both(facts: Facts, tell: (place: number) => string): string {
  return `${NAMES.map((name, place) => `${name} (${nameOf(facts.settings.students[place])}) ${tell(place)}`).join('; ')}.`;
}

/** Steps until half is forgotten: few units carry what is carried far, so the longest is told beside the median. */
export function memoryInWords(lives: Look['half_lives']): string {
  if (!lives) return '';
  const [median, longest] = lives.map((life) => (life === null ? 'for good' : life < 99.95 ? life.toFixed(1) : number(Math.round(life), 6)));
  return `half-life by its gates: longest ${longest}, median ${median} steps`;
}

/** `once`, `17 times`. */
export const times = (count: number): string => (count === 1 ? 'once' : `${count.toLocaleString('en-GB')} times`);

/** What has become of the gradient at the first step. */
export function gradientInWords(facts: Facts, record: LabRecord): string {
  const steps = facts.inputs.length - 1;
  const share = (log: number | null) => (log === null ? 'nothing' : sizeOf(log));
  return both(facts, (place) => {
    const { look: { gradient }, trouble } = record.students[place];
    const began = facts.begins[place][0]?.[1] ?? null;
    if (trouble) return `has diverged; before the first step it had ${share(began)}${began !== null && began > 0 ? ' times' : ' of'} its gradient ${steps} steps back`;
    if (!gradient.length) return 'has no state, so nothing runs back through time';
    const first = gradient[0][1];
    const now = first === null
      ? `has nothing left of its gradient ${steps} steps back`
      : first > 0 ? `has ${sizeOf(first)} times its gradient ${steps} steps back` : `has ${sizeOf(first)} of its gradient left ${steps} steps back`;
    return record.step ? `${now} (before the first step: ${share(began)})` : now;
  });
}
