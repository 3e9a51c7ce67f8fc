// Below the losses, over the same axis: the learning rate, the norm of the gradient, how often it was clipped.
import { line } from 'd3-shape';
import { s, uid } from '../shared/dom';
import { colourOf, type Board, type Run } from './board';
import { powers, scaleOf, smooth, type Margin } from './curve';
import { across, marginOf } from './loss_chart';
import { size } from './words';

const HIGH = 92;

interface Quantity {
  name: string;
  /** What it is, point by point. */
  of(run: Run): (number | null)[];
  log?: boolean;
  /** Noise is drawn faint, and its course over it. */
  noisy?: boolean;
  top?: number;
  /** Not worth a strip where it is zero throughout. */
  some?: boolean;
  text?(value: number): string;
}

const QUANTITIES: Quantity[] = [
  { name: 'learning rate', of: ({ record }) => record.rate },
  { name: 'norm of the gradient, logarithmic; dashed: clip', of: ({ record }) => record.norm, log: true, noisy: true },
  { name: 'share of the steps that were clipped', of: ({ record }) => record.clipped, noisy: true, top: 1, some: true, text: (value) => `${Math.round(100 * value)}%` },
];

/** A strip for each quantity that a run tells. */
export function drawStrips(board: Board, width: number): SVGSVGElement[] {
  return QUANTITIES.filter(({ of, some }) => board.runs.some((run) => of(run).some((value) => value !== null && !(some && value === 0))))
    .map((quantity) => drawStrip(board, width, quantity));
}

function drawStrip(board: Board, width: number, quantity: Quantity): SVGSVGElement {
  const { log = false } = quantity;
  const text = quantity.text ?? ((value: number) => size(value, 2));
  const margin: Margin = { ...marginOf(board, width), top: 24, bottom: 8 };
  const x = across(board, width, margin);
  const drawable = (value: number | null): value is number => value !== null && (!log || value > 0);
  const known = board.shown.flatMap((run) => quantity.of(run).filter(drawable));
  const limits = log ? board.shown.flatMap(({ record }) => (record.clip !== null && known.length ? [record.clip] : [])) : [];
  const range = rangeOfAll([...known, ...limits], log, quantity.top);
  const y = scaleOf(range, [HIGH - margin.bottom, margin.top], log);
  const clip = uid('clip');
  const course = (run: Run) => {
    const values = quantity.of(run);
    return quantity.noisy ? geometric(values, log) : values;
  };
  const path = (run: Run, values: (number | null)[]) =>
    line<number | null>().defined(drawable).x((_, k) => x(run.at[k])).y((value) => y(value!))(values) ?? '';
  const ticks = log ? powers(y, range, 2).filter((_, k, all) => k === 0 || k === all.length - 1) : [range[0], range[1]];
  return s('svg', {
    class: 'chart strip-chart', width, height: HIGH, viewBox: `0 0 ${width} ${HIGH}`, role: 'img',
    'aria-label': `${quantity.name}. ${board.shown.map((run) => `${run.record.name}: now ${text(course(run).at(-1) ?? NaN)}`).join('. ')}`,
  },
  s('clipPath', { id: clip }, s('rect', { x: margin.left, y: margin.top - 3, width: Math.max(0, width - margin.left - margin.right), height: HIGH - margin.top - margin.bottom + 6 })),
  s('g', { class: 'axis' },
    s('text', { x: 2, y: 13 }, quantity.name),
    ...ticks.flatMap((tick) => [
      s('line', { x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) }),
      s('text', { x: margin.left - 8, y: y(tick), dy: '0.32em', 'text-anchor': 'end' }, text(tick)),
    ])),
  s('g', { 'clip-path': `url(#${clip})` },
    ...[...new Set(limits)].map((clip) => s('line', { class: 'clip-line', x1: margin.left, x2: width - margin.right, y1: y(clip), y2: y(clip) })),
    ...board.shown.map((run) => s('g', { class: `run ${colourOf(run)}` },
      quantity.noisy && !quantity.top ? s('path', { class: 'raw', d: path(run, quantity.of(run)) }) : null,
      s('path', { class: 'smooth thin', d: path(run, course(run)) })))));
}

function rangeOfAll(known: number[], log: boolean, top: number | undefined): [number, number] {
  if (top !== undefined) return [0, top];
  const high = Math.max(...known);
  if (!known.length) return log ? [0.1, 1] : [0, 1];
  return log ? [Math.min(...known) * 0.9, high * 1.1] : [0, high || 1];
}

/** Of a norm, the geometric mean of what is around: what is drawn is logarithmic. */
function geometric(values: (number | null)[], log: boolean): (number | null)[] {
  if (!log) return smooth(values);
  const logs = values.map((value) => (value !== null && value > 0 ? Math.log(value) : null));
  return smooth(logs).map((value) => (value === null ? null : Math.exp(value)));
}
