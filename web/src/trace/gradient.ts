// How large the gradient is by the state of each step: where it dies, and where it blows up.
import { line } from 'd3-shape';
import { h, s } from '../shared/dom';
import { number, powerOfTen, sized } from '../shared/format';
import type { TraceRecord } from '../shared/records';
import { curveView } from './curve';
import { nameOf, type Stage, type View } from './stage';

const HIGH = 190;
/** Of the largest: what is added to a gradient of the weights is lost in rounding below it (docs/diagnostics.md). */
export const VANISHED = 2 ** -23;
/** Times that of the last step: as in docs/diagnostics.md. */
export const EXPLODED = 1000;
/** Powers of ten from one end to the other that are no slope. */
const FLAT = 0.5;

export interface Curve {
  name: string;
  norms: ArrayLike<number>;
  /** Whether the layer reads from the end: its gradient then goes from left to right. */
  reverse: boolean;
  /** Of lines: its colour, and how it is dashed. */
  look: string;
}

/** Null for a trace without gradients. */
export function gradientView(stage: Stage): View | null {
  const { trace } = stage;
  const curves = curvesOf(trace);
  if (!curves.length) return null;
  const words = h('p', { class: 'quiet' });
  const against = curves.some(({ reverse }) => reverse) ? 'against the direction in which a layer reads' : 'from right to left';
  const view = curveView(stage, 'Gradient by the state of each step', [
    h('p', { class: 'quiet' }, `Of ${trace.loss}; logarithmic. Read it as the gradient goes, ${against}.`),
    curves.length > 1 ? h('p', { class: 'keys' }, ...curves.map(keyOf)) : null, words,
  ], (width) => draw(curves, stage, width), (step) => told(lookedAt(curves, stage), step));
  return {
    ...view,
    redraw() {
      words.textContent = inWords(lookedAt(curves, stage));
      view.redraw();
    },
  };
}

function curvesOf(trace: TraceRecord): Curve[] {
  const names = [...new Set(trace.layers.map((layer) => `${layer.name} ${layer.index}`))];
  const own = trace.layers.filter((layer) => layer.norms.h).map((layer) => ({
    name: nameOf(layer), norms: layer.norms.h, reverse: layer.reverse,
    look: `hue-${names.indexOf(`${layer.name} ${layer.index}`) % 4}${layer.reverse ? ' dashed' : ''}`,
  }));
  const beside = (trace.beside ?? []).map(({ name, norms }, k) => ({ name, norms, reverse: false, look: `hue-${(names.length + k) % 4}` }));
  return [...own, ...beside];
}

/** The layer under the cursor, and the traces beside it. */
function lookedAt(curves: Curve[], { trace, now }: Stage): Curve[] {
  const own = trace.layers.filter((layer) => layer.norms.h).indexOf(trace.layers[now.layer]);
  const first = curves.length - (trace.beside ?? []).length;
  return curves.filter((_, k) => k === own || k >= first);
}

function keyOf({ name, look }: Curve): HTMLElement {
  return h('span', { class: 'key' }, s('svg', { width: 26, height: 8, 'aria-hidden': 'true' }, s('line', { class: `series ${look}`, x1: 1, x2: 25, y1: 4, y2: 4 })), name);
}

function told(curves: Curve[], step: number): string {
  return curves.map(({ norms }) => sized(norms[step] ?? NaN)).join(' · ');
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

function draw(curves: Curve[], stage: Stage, width: number): SVGSVGElement {
  const steps = stage.steps;
  const logs = curves.map(({ norms }) => logsOf(norms));
  const known = logs.flat().filter((value): value is number => value !== null);
  const lines = thresholdsOf(lookedAt(curves, stage)[0] ?? curves[0]);
  const all = [...known, ...lines.map(({ value }) => value)];
  const [low, top] = [Math.floor(Math.min(...all, 0)), Math.ceil(Math.max(...all, 0.1) + 0.2)];
  const y = (value: number) => 10 + ((top - value) / Math.max(1, top - low)) * (HIGH - 18);
  const x = (step: number) => (width * (step + 0.5)) / steps;
  const svg = s('svg', { width, height: HIGH, role: 'img', 'aria-label': inWords(lookedAt(curves, stage)) });
  for (let power = top; power > low; power -= Math.max(1, Math.ceil((top - low) / 5))) {
    svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: y(power), y2: y(power) }),
      s('text', { class: 'tick', x: 4, y: y(power) + 12 }, powerOfTen(power)));
  }
  for (const { value, name } of lines) {
    svg.append(s('line', { class: 'threshold', x1: 0, x2: width, y1: y(value), y2: y(value) }),
      s('text', { class: 'threshold-name', x: width - 6, y: y(value) - 5, 'text-anchor': 'end' }, name));
  }
  logs.forEach((values, k) => {
    // Other traces end where this one does.
    const place = (step: number) => x(step + steps - values.length);
    const path = line<number | null>().defined((value) => value !== null).x((_, step) => place(step)).y((value) => y(value ?? 0));
    svg.append(s('path', { class: `series ${curves[k].look}`, d: path(values) ?? '' }));
    // A step that stands alone is no line.
    values.forEach((value, step) => {
      if (value !== null && (values[step - 1] ?? null) === null && (values[step + 1] ?? null) === null) {
        svg.append(s('circle', { class: `series alone ${curves[k].look}`, cx: place(step), cy: y(value), r: 3 }));
      }
    });
  });
  return svg;
}

/** The norms in the order in which the layer reads. */
const asRead = ({ norms, reverse }: Curve) => (reverse ? Array.from(norms).reverse() : Array.from(norms));

/** The thresholds that the gradient of a layer crosses. */
function thresholdsOf(curve: Curve): { name: string; value: number }[] {
  const norms = asRead(curve).filter(Number.isFinite);
  const [most, last, first] = [Math.max(...norms), norms.findLast((value) => value > 0) ?? 0, norms[0]];
  const found: { name: string; value: number }[] = [];
  if (most > 0 && first < VANISHED * most) found.push({ name: 'vanished: below 1.2e-7 of the largest', value: Math.log10(VANISHED * most) });
  if (last > 0 && most > EXPLODED * last) found.push({ name: 'exploding: above 1000 times the last', value: Math.log10(EXPLODED * last) });
  return found;
}

export function inWords(curves: Curve[]): string {
  return curves.map((curve) => `${curves.length === 1 ? 'The gradient' : curve.name} ${finding(curve)}`).join(' ');
}

function finding(curve: Curve): string {
  const norms = asRead(curve);
  const reached = norms.findIndex((value) => value > 0 || Number.isNaN(value));
  if (reached < 0) return 'reaches no step.';
  const [first, most] = [norms[0], Math.max(...norms)];
  const last = norms.findLast((value) => value > 0) ?? NaN;
  const place = curve.reverse ? 'last in time' : 'first';
  if (norms.some((value) => !Number.isFinite(value))) return 'is not finite at some steps: it has exploded.';
  if (reached > 0) {
    const count = reached === 1 ? 'step that the layer reads' : `${reached} steps that the layer reads`;
    return `is ${sized(last)} where it enters, and none of it reaches the first ${count}.`;
  }
  const slope = slopeOf(norms);
  const size = `is ${sized(last)} where it enters last and ${sized(first)} at the step that is read ${place === 'first' ? 'first' : `first, the ${place}`}`;
  let verdict = '';
  if (first < VANISHED * most) verdict = ' It has vanished before it gets there.';
  else if (first > EXPLODED * last) verdict = ' It explodes.';
  if (slope === null || Math.abs(slope) * norms.length < FLAT) return `${size}, about as large on the way.${verdict}`;
  const agrees = slope > 0 === first < last;
  if (!agrees) return `${size}, with no clear slope on the way.${verdict}`;
  return `${size}: on its way back it ${slope > 0 ? 'fades' : 'grows'} by a factor of ten every ${number(1 / Math.abs(slope), 2)} steps.${verdict}`;
}
