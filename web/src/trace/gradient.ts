// How large the gradient is by the state of each step: where it dies, and where it blows up.
import { line } from 'd3-shape';
import { h, s } from '../shared/dom';
import { number, powerOfTen } from '../shared/format';
import type { TraceRecord } from '../shared/records';
import { curveView } from './curve';
import { nameOf, type Stage, type View } from './stage';

const HIGH = 150;

/** Null for a trace without gradients. */
export function gradientView(stage: Stage): View | null {
  const { trace } = stage;
  if (!trace.layers.some((layer) => Object.keys(layer.gradients).length)) return null;
  const keys = trace.layers.length > 1
    ? h('p', { class: 'keys' }, ...trace.layers.map((layer, k) => h('span', { class: `key-${k % 4}` }, nameOf(layer))))
    : null;
  return curveView(stage, 'Gradient by the state of each step',
    [h('p', { class: 'quiet' }, `Of ${trace.loss}; logarithmic.`), keys], (width) => draw(trace, width));
}

function draw(trace: TraceRecord, width: number): SVGSVGElement {
  const norms = trace.layers.map((layer) => layer.norms.h ?? []);
  const logs = norms.map((values) => values.map((value) => (value > 0 ? Math.log10(value) : null)));
  const known = logs.flat().filter((value): value is number => value !== null);
  const [low, top] = [Math.floor(Math.min(...known, 0)), Math.ceil(Math.max(...known, 0.1))];
  const y = (value: number) => 8 + ((top - value) / Math.max(1, top - low)) * (HIGH - 16);
  const x = (step: number) => (width * (step + 0.5)) / trace.inputs.length;
  const svg = s('svg', { width, height: HIGH, role: 'img', 'aria-label': inWords(trace, norms) });
  for (let power = top; power > low; power -= Math.max(1, Math.ceil((top - low) / 5))) {
    svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: y(power), y2: y(power) }),
      s('text', { class: 'tick', x: 4, y: y(power) + 12 }, powerOfTen(power)));
  }
  const path = line<number | null>().defined((value) => value !== null).x((_, step) => x(step)).y((value) => y(value ?? 0));
  logs.forEach((values, k) => svg.append(s('path', { class: `series series-${k % 4}`, d: path(values) ?? '' })));
  return svg;
}

function inWords(trace: TraceRecord, norms: number[][]): string {
  return norms.map((values, k) => {
    const some = values.filter((value) => value > 0);
    return `${nameOf(trace.layers[k])}: from ${number(Math.min(...some))} to ${number(Math.max(...some))}`;
  }).join('; ');
}
