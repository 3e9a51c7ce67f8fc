// Two curves in one chart, with levels to compare them with.
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { s } from '../shared/dom';
import type { Point } from './records';
import { NAMES } from './words';

export interface Level {
  at: number;
  name: string;
}

export interface Chart {
  title: string;
  /** What is seen, in words. */
  finding: string;
  curves: [Point[], Point[]];
  /** As they were at the beginning: thin, and without a name. */
  before?: [Point[], Point[]];
  levels: Level[];
  x: [number, number];
  y: [number, number];
  xName: string;
  tick: (value: number) => string;
  height: number;
  /** Draws the mean of the points around each, and the points faintly: for what is noisy. */
  smooth?: boolean;
}

const MARGIN = { top: 14, right: 26, bottom: 34, left: 46 };

export function chart(given: Chart, width: number): SVGSVGElement {
  const { height } = given;
  const x = scaleLinear().domain(given.x).range([MARGIN.left, width - MARGIN.right]);
  const y = scaleLinear().domain(given.y).range([height - MARGIN.bottom, MARGIN.top]);
  const within = (value: number) => Math.max(given.y[0], Math.min(given.y[1], value));
  const svg = s('svg', {
    class: 'chart lab-chart', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${given.title}. ${given.finding}`,
  });
  const axis = s('g', { class: 'axis' });
  for (const tick of y.ticks(4)) {
    axis.append(s('line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
      s('text', { x: MARGIN.left - 7, y: y(tick), dy: '0.32em', 'text-anchor': 'end' }, given.tick(tick)));
  }
  for (const tick of x.ticks(Math.max(2, Math.floor(width / 110))).filter(Number.isInteger)) {
    axis.append(s('text', { x: x(tick), y: height - 18, 'text-anchor': 'middle' }, tick.toLocaleString('en-GB')));
  }
  axis.append(s('text', { x: width - MARGIN.right, y: height - 4, 'text-anchor': 'end' }, given.xName));
  svg.append(axis);
  const levels = given.levels.filter(({ at }) => at >= given.y[0] && at <= given.y[1]);
  svg.append(...levels.map(({ at }) => s('line', { class: 'level', x1: MARGIN.left, x2: width - MARGIN.right, y1: y(at), y2: y(at) })));
  const path = line<Point>().defined((point) => point[1] !== null).x((point) => x(point[0])).y((point) => y(within(point[1]!)));
  const ends = given.curves.map((points) => points.filter((point) => point[1] !== null).at(-1)?.[1] ?? 0);
  const upper = ends[1] > ends[0] ? 1 : 0;
  given.before?.forEach((points, place) => svg.append(s('path', { class: `lab-curve before of-${place}`, d: path(points) ?? '' })));
  given.curves.forEach((raw, place) => {
    const points = given.smooth ? means(raw) : raw;
    const known = points.filter((point) => point[1] !== null);
    if (!known.length) return;
    if (given.smooth) svg.append(s('path', { class: `lab-curve raw of-${place}`, d: path(raw) ?? '' }));
    svg.append(s('path', { class: `lab-curve of-${place}`, 'data-points': points.length, d: path(points) ?? '' }));
    const end = known.at(-1)!;
    svg.append(s('circle', { class: `lab-end of-${place}`, cx: x(end[0]), cy: y(within(end[1]!)), r: 3 }),
      s('text', { class: `lab-name of-${place}`, x: x(end[0]) + 6, y: y(within(end[1]!)), dy: place === upper ? '-0.1em' : '0.9em' }, NAMES[place]));
  });
  const drawn = [...given.curves, ...(given.before ?? [])].map((points) => points.filter((point) => point[1] !== null).map(([step, value]): Spot => [x(step), y(within(value!))]));
  svg.append(...levels.map(({ at, name }) => {
    const spot = freest(6.1 * name.length, [MARGIN.left + 5, width - MARGIN.right - 4], y(at), [MARGIN.top - 6, height - MARGIN.bottom], drawn);
    return s('text', { class: 'level-name', x: spot.x, y: spot.y, 'text-anchor': 'end' }, name);
  }));
  return svg;
}

type Spot = [x: number, y: number];

/**
 * Where a level's name, `wide` pixels long, crosses the curves least, by where its text ends: at the right, in the middle
 * or at the left, over the level or under it.
 */
export function freest(wide: number, [left, right]: [number, number], at: number, [top, bottom]: [number, number], curves: Spot[][]): { x: number; y: number } {
  let best = { x: right, y: at - 5, hits: Infinity };
  for (const x of [right, (left + right + wide) / 2, left + wide]) {
    for (const y of [at - 5, at + 14]) {
      if (y - 10 < top || y > bottom) continue;
      const hits = curves.reduce((sum, curve) => sum + crossed(curve, [x - wide, x], [y - 10, y + 2]), 0);
      if (hits < best.hits) best = { x, y, hits };
    }
  }
  return { x: best.x, y: best.y };
}

/** How many pixels of a box's width the curve goes through. */
function crossed(curve: Spot[], [left, right]: [number, number], [top, bottom]: [number, number]): number {
  let hits = 0;
  for (let k = 1; k < curve.length; k += 1) {
    const [[fromX, fromY], [toX, toY]] = [curve[k - 1], curve[k]];
    for (let x = Math.max(left, fromX); x <= Math.min(right, toX); x += 2) {
      const y = toX > fromX ? fromY + ((toY - fromY) * (x - fromX)) / (toX - fromX) : toY;
      if (y >= top && y <= bottom) hits += 1;
    }
  }
  return hits;
}

/** The mean of the points around each, over about a fifteenth of them; centred, so that it does not lag. */
function means(points: Point[]): Point[] {
  const reach = Math.floor(points.length / 30);
  return points.map(([step], k) => {
    const side = Math.min(reach, k, points.length - 1 - k);
    const near = points.slice(k - side, k + side + 1).map((point) => point[1]).filter((value): value is number => value !== null);
    return [step, near.length ? near.reduce((sum, value) => sum + value, 0) / near.length : null];
  });
}
