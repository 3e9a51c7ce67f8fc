// The answer after each step, as a curve over all of them; word by word it stands in `running`.
import { line } from 'd3-shape';
import { s } from '../shared/dom';
import { percent } from '../shared/format';
import type { TraceRecord } from '../shared/records';
import { curveView } from './curve';
import type { Stage, View } from './stage';

const HIGH = 130;

/** Null for a trace without running answers. */
export function answersView(stage: Stage): View | null {
  if (!stage.trace.answers?.running) return null;
  return curveView(stage, 'The answer after each step', [], (width) => draw(stage.trace, width), (step) => told(stage.trace, step));
}

function told({ answers }: TraceRecord, step: number): string {
  const row = [...answers!.chances[step]];
  const best = row.indexOf(Math.max(...row));
  return `${answers!.names[best]} ${percent(row[best])}%`;
}

function draw(trace: TraceRecord, width: number): SVGSVGElement {
  const { names, chances } = trace.answers!;
  const x = (step: number) => (width * (step + 0.5)) / trace.inputs.length;
  const y = (p: number) => 8 + (1 - p) * (HIGH - 16);
  const most = names.map((_, k) => Math.max(...chances.map((row) => row[k])));
  const shown = names.map((_, k) => k).sort((a, b) => most[b] - most[a]).slice(0, 4);
  const last = chances.at(-1)!;
  const svg = s('svg', { width, height: HIGH, role: 'img', 'aria-label': `The answer ends at ${names[last.indexOf(Math.max(...last))]}` });
  for (const p of [0, 0.5, 1]) {
    svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: y(p), y2: y(p) }), s('text', { class: 'tick', x: 4, y: p ? y(p) + 12 : y(p) - 3 }, `${100 * p}%`));
  }
  const leads = shown.reduce((best, label) => (last[label] > last[best] ? label : best), shown[0]);
  shown.forEach((label, k) => {
    const values = chances.map((row) => row[label]);
    svg.append(s('path', { class: `series series-${k}`, d: line<number>().x((_, step) => x(step)).y(y)(values) ?? '' }),
      s('text', { class: `tick name-${k}`, x: x(values.length - 1) - 6, y: y(values.at(-1)!) + (label === leads ? -5 : 14), 'text-anchor': 'end' }, names[label]));
  });
  return svg;
}
