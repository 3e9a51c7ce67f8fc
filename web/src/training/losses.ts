// The loss while training, over steps or over seconds.
import { extent } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { atWidth, choice, h, s, uid } from '../shared/dom';
import { number } from '../shared/format';
import type { LossCurve, LossPoint } from '../shared/records';
import { columns, rangeOf, rows, scaleOf, smooth } from './curve';

type Known = [step: number, seconds: number, loss: number];
const known = (points: LossPoint[]) => points.filter((p): p is Known => p[2] !== null);

export function lossCurves(curves: LossCurve[]): HTMLElement {
  const redraws: ((over: 0 | 1) => void)[] = [];
  const grid = h('div', { class: 'losses' }, ...curves.map((curve) => lossCard(curve, redraws)));
  const control = choice(
    'Horizontal axis',
    [{ value: '0', text: 'over steps' }, { value: '1', text: 'over seconds' }],
    '1',
    (value) => redraws.forEach((redraw) => redraw(Number(value) as 0 | 1)),
  );
  return h('div', {}, control, grid);
}

function lossCard(curve: LossCurve, redraws: ((over: 0 | 1) => void)[]): HTMLElement {
  const title = uid('loss');
  const box = h('div', {});
  let over: 0 | 1 = 1;
  let width = 0;
  const draw = () => width > 0 && box.replaceChildren(drawLoss(curve, over, width));
  redraws.push((now) => {
    over = now;
    draw();
  });
  const root = h(
    'article',
    { class: 'card', 'aria-labelledby': title },
    h('h3', { id: title }, curve.name),
    h('p', { class: 'quiet' }, inWords(curve)),
    box,
  );
  atWidth(box, (now) => {
    width = now;
    draw();
  });
  return root;
}

function inWords(curve: LossCurve): string {
  const [points, held] = [known(curve.points), known(curve.validation)];
  if (points.length === 0) return 'No step was recorded.';
  const last = points.at(-1)!;
  const best = held.length ? Math.min(...held.map((p) => p[2])) : null;
  const steps = `${number(last[0], 4)} steps in ${number(last[1], 3)} s`;
  return best === null ? `${steps}.` : `${steps}; best held-out ${curve.unit}: ${number(best)}.`;
}

function drawLoss(curve: LossCurve, over: 0 | 1, width: number): SVGSVGElement {
  const height = 220;
  const margin = { top: 22, right: 16, bottom: 34, left: 44 };
  const points = known(curve.points);
  const held = known(curve.validation);
  const x = scaleLinear().domain([0, extent([...points, ...held], (p) => p[over])[1] ?? 1]).range([margin.left, width - margin.right]);
  const y = scaleOf(rangeOf([...points, ...held].map((p) => p[2])), [height - margin.bottom, margin.top]);
  const svg = s('svg', {
    class: 'chart', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': `${curve.name}: ${curve.unit} over ${over ? 'seconds' : 'steps'}. ${inWords(curve)}`,
  });
  const axis = s('g', { class: 'axis' },
    ...rows(y, width, margin, y.ticks(4), number),
    ...columns(x, width, height - 16, (value) => number(value, 4)),
    s('text', { x: 2, y: 12, class: 'unit' }, curve.unit),
    s('text', { x: width - margin.right, y: height - 3, 'text-anchor': 'end' }, over ? 'seconds' : 'steps'));
  const clip = uid('clip');
  const plot = s('g', { 'clip-path': `url(#${clip})` });
  const path = line<Known>().x((p) => x(p[over])).y((p) => y(p[2]));
  plot.append(s('path', { class: 'loss-raw', d: path(points) }), s('path', { class: 'loss', d: path(smoothed(points)) }));
  plot.append(s('path', { class: 'held', d: path(held) }));
  for (const p of held) plot.append(s('circle', { class: 'held-dot', cx: x(p[over]), cy: y(p[2]), r: 3.5 }));
  svg.append(
    s('clipPath', { id: clip }, s('rect', { x: margin.left, y: margin.top - 6, width: width - margin.left, height: height - margin.top - margin.bottom + 10 })),
    axis,
    plot,
  );
  const keys = s('g', { class: 'keys' });
  const right = width - margin.right;
  keys.append(s('line', { class: 'loss', x1: right - 176, x2: right - 156, y1: 12, y2: 12 }), s('text', { x: right - 150, y: 16 }, 'training'));
  if (held.length) {
    keys.append(
      s('line', { class: 'held', x1: right - 88, x2: right - 64, y1: 12, y2: 12 }),
      s('circle', { class: 'held-dot', cx: right - 76, cy: 12, r: 3.5 }),
      s('text', { x: right - 58, y: 16 }, 'held out'),
    );
  }
  svg.append(keys);
  return svg;
}

function smoothed(points: Known[]): Known[] {
  const losses = smooth(points.map((p) => p[2])) as number[];
  return points.map(([step, seconds], k) => [step, seconds, losses[k]]);
}
