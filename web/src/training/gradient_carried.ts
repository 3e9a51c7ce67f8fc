// What is left at the first step of a gradient that enters at the last one, look by look.
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { s } from '../shared/dom';
import { number } from '../shared/format';
import { colourOf } from './board';
import type { Gradients } from './gradient';
import { chart, gradientAxis, HIGH, MARGIN, underneath } from './gradient_axes';
import { size, thousands } from './words';

interface Point {
  step: number;
  carried: number | null;
  peak: number | null;
}

export function drawCarried({ board, where, step, choose }: Gradients, width: number): SVGSVGElement {
  const series = board.shown.map((run) => ({
    run,
    points: run.record.looks.flatMap((look): Point[] => {
      const profile = look.layers.find((layer) => layer.where === where);
      return profile ? [{ step: look.step, carried: profile.carried, peak: profile.peak }] : [];
    }),
  })).filter(({ points }) => points.length);
  const { vanished, exploded } = series[0].run.record;
  const steps = series.flatMap(({ points }) => points.map((point) => point.step));
  const x = scaleLinear().domain([0, Math.max(...steps, 2)]).range([MARGIN.left, width - MARGIN.right]);
  const y = gradientAxis(series.flatMap(({ points }) => points.flatMap(({ carried, peak }) => [carried ?? [], peak ?? []].flat())), [
    { at: vanished, name: `vanishing: below ${size(vanished, 2)}`, below: true },
    { at: exploded, name: `exploding: above ${number(exploded)}`, below: false },
  ], width);
  const path = (points: Point[], of: 'carried' | 'peak') =>
    line<Point>().defined((point) => point[of] !== null).x((point) => x(point.step)).y((point) => y.of(point[of]!))(points) ?? '';
  const ticks = x.ticks(Math.max(2, Math.floor(width / 110))).filter(Number.isInteger).map((tick) => ({ at: x(tick), text: thousands(tick) }));
  const svg = chart(width, inWords(), 'carried-chart', ...y.behind,
    s('g', { class: 'axis' }, s('text', { x: 2, y: 12 }, board.several ? 'norm, logarithmic' : 'norm, logarithmic; dashed: the largest on its way')),
    underneath(ticks, 'steps of the training', width),
    s('line', { class: 'here-line', x1: x(step), x2: x(step), y1: MARGIN.top, y2: HIGH - MARGIN.bottom }),
    ...series.map(({ run, points }) => s('g', { class: `run ${colourOf(run)}` },
      board.several ? null : s('path', { class: 'peak', d: path(points, 'peak') }),
      s('path', { class: 'smooth', d: path(points, 'carried') }),
      ...points.flatMap((point) => (point.carried === null ? [] : [s('circle', {
        class: `held-point${point.step === step ? ' here' : ''}`, r: point.step === step ? 5 : 3, cx: x(point.step), cy: y.of(point.carried),
      })])))),
    ...y.before);
  svg.addEventListener('click', (event) => {
    const pixel = event.clientX - svg.getBoundingClientRect().left;
    choose(steps.reduce((near, one) => (Math.abs(x(one) - pixel) < Math.abs(x(near) - pixel) ? one : near)));
  });
  return svg;

  function inWords(): string {
    const told = series.map(({ run, points }) => {
      const [first, last] = [points[0], points.at(-1)!];
      const end = points.length > 1 ? `, ${size(last.carried)} at step ${last.step}` : '';
      return `${run.record.name}: ${size(first.carried)} at step ${first.step}${end}`;
    });
    return `Of a gradient of size 1 that enters at the last step, so much is left at the first. ${told.join('. ')}. Below ${size(vanished, 2)} it has vanished.`;
  }
}
