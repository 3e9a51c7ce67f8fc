// How large the gradient is by the state of each step: where it dies, and where it blows up.
import { line } from 'd3-shape';
import { h, s } from '../shared/dom';
import { number, sized } from '../shared/format';
import type { TraceRecord } from '../shared/records';
import { curveView } from './curve';
import { nameOf, type Stage, type View } from './stage';

const HIGH = 190;
/** Of the largest: what is added to a gradient of the weights is lost in rounding below it (docs/diagnostics.md). */
export const VANISHED = 2 ** -23;
/** Times that of the last step: as in docs/diagnostics.md. */
export const EXPLODED = 1000;
const THRESHOLDS = [{ name: 'vanished: 1.2e-7 of the largest', at: VANISHED }, { name: 'exploding: 1000 times the last', at: EXPLODED }];

interface Curve {
  name: string;
  norms: ArrayLike<number>;
  /** Of another trace than the one that is looked at. */
  beside: boolean;
}

/** Null for a trace without gradients. */
export function gradientView(stage: Stage): View | null {
  const { trace } = stage;
  const curves = curvesOf(trace);
  if (!curves.length) return null;
  const keys = curves.length > 1
    ? h('p', { class: 'keys' }, ...curves.map(({ name }, k) => h('span', { class: `key-${k % 4}` }, name)))
    : null;
  return curveView(stage, 'Gradient by the state of each step', [
    h('p', { class: 'quiet' }, `Of ${trace.loss}; logarithmic. Read it from right to left, as the gradient goes.`), keys,
    h('p', { class: 'quiet' }, inWords(curves)),
  ], (width) => draw(curves, trace.inputs.length, width));
}

function curvesOf(trace: TraceRecord): Curve[] {
  const own = trace.layers.filter((layer) => layer.norms.h)
    .map((layer) => ({ name: nameOf(layer), norms: layer.norms.h, beside: false }));
  return [...own, ...(trace.beside ?? []).map(({ name, norms }) => ({ name, norms, beside: true }))];
}

/** log10 of the norms; null where there is none. */
export const logsOf = (norms: ArrayLike<number>): (number | null)[] =>
  Array.from(norms, (value) => (value > 0 && Number.isFinite(value) ? Math.log10(value) : null));

/** The slope of log10 of the norm by the step, by least squares; null for fewer than three. */
export function slopeOf(norms: ArrayLike<number>): number | null {
  const points = logsOf(norms).map((value, step) => [step, value] as const).filter((point): point is [number, number] => point[1] !== null);
  if (points.length < 3) return null;
  const mean = (k: 0 | 1) => points.reduce((sum, point) => sum + point[k], 0) / points.length;
  const [a, b] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - a) * (y - b), 0);
  return over / points.reduce((sum, [x]) => sum + (x - a) ** 2, 0);
}

function draw(curves: Curve[], steps: number, width: number): SVGSVGElement {
  const logs = curves.map(({ norms }) => logsOf(norms));
  const known = logs.flat().filter((value): value is number => value !== null);
  const lines = thresholdsOf(curves[0].norms).filter(({ value }) => value > Math.min(...known) - 2 && value < Math.max(...known) + 2);
  const all = [...known, ...lines.map(({ value }) => value)];
  const [low, top] = [Math.floor(Math.min(...all, 0)), Math.ceil(Math.max(...all, 0.1))];
  const y = (value: number) => 8 + ((top - value) / Math.max(1, top - low)) * (HIGH - 16);
  const x = (step: number) => (width * (step + 0.5)) / steps;
  const svg = s('svg', { width, height: HIGH, role: 'img', 'aria-label': inWords(curves) });
  for (let power = top; power > low; power -= Math.max(1, Math.ceil((top - low) / 5))) {
    svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: y(power), y2: y(power) }),
      s('text', { class: 'tick', x: 4, y: y(power) + 12 }, power < -4 || power > 4 ? `1e${power}` : String(10 ** power)));
  }
  for (const { value, name } of lines) {
    svg.append(s('line', { class: 'threshold', x1: 0, x2: width, y1: y(value), y2: y(value) }),
      s('text', { class: 'threshold-name', x: width - 6, y: y(value) - 5, 'text-anchor': 'end' }, name));
  }
  logs.forEach((values, k) => {
    // Other traces end where this one does.
    const path = line<number | null>().defined((value) => value !== null).x((_, step) => x(step + steps - values.length)).y((value) => y(value ?? 0));
    svg.append(s('path', { class: `series series-${k % 4}`, d: path(values) ?? '' }));
  });
  return svg;
}

function thresholdsOf(norms: ArrayLike<number>): { name: string; value: number }[] {
  const known = Array.from(norms).filter((value) => value > 0 && Number.isFinite(value));
  if (!known.length) return [];
  const [most, last] = [Math.max(...known), known.at(-1)!];
  return THRESHOLDS.map(({ name, at }) => ({ name, value: Math.log10(at * (at < 1 ? most : last)) }));
}

function inWords(curves: Curve[]): string {
  const single = curves.length === 1;
  return curves.map(({ name, norms }) => {
    const some = Array.from(norms).filter((value) => value > 0);
    const who = single ? 'It' : name;
    if (!some.length) return `${who}: none reaches any step.`;
    const slope = slopeOf(norms);
    const [first, last] = [some[0], some.at(-1)!];
    const fall = slope !== null && Math.abs(slope) > 0.002
      ? ` a factor of ten every ${number(1 / Math.abs(slope), 2)} steps, ${slope > 0 ? 'fading' : 'growing'} on its way back`
      : ' about as large at every step';
    const verdict = first < VANISHED * Math.max(...some) ? ' It has vanished before it reaches the first step.'
      : first > EXPLODED * last ? ' It explodes.' : '';
    return `${who} is ${sized(last)} at the last step and ${sized(first)} at the first,${fall}.${verdict}`;
  }).join(' ');
}
