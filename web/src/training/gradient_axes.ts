// What both charts of the gradient share: a logarithmic axis with the zones where it has vanished or exploded.
import { scaleLog } from 'd3-scale';
import { s } from '../shared/dom';
import { powers, rows, type Margin } from './curve';
import { size } from './words';

export const HIGH = 280;
export const MARGIN: Margin = { top: 22, right: 26, bottom: 34, left: 52 };
/** What is smaller stands at the bottom: below the threshold of vanishing it is all the same. */
const FLOOR = 1e-12;

/** Pixels that the name of a zone takes. */
const NAME = 24;

export interface Limit {
  at: number;
  name: string;
  below: boolean;
}

export interface Axis {
  /** Pixels of a norm; those that are off the axis stand at its ends. */
  of(norm: number): number;
  /** What stands behind the curves, and before them. */
  behind: SVGElement[];
  before: SVGElement[];
}

/** For all of `norms` that are no smaller than the floor, and `limits`. */
export function gradientAxis(norms: number[], limits: Limit[], width: number): Axis {
  const finite = [...norms, ...limits.map(({ at }) => at)].filter((value) => value > 0);
  const lowest = (norms.includes(0) ? FLOOR : Math.max(FLOOR, Math.min(...finite, 1))) * 0.3;
  const [low, high] = withRoom([lowest, Math.max(...finite, lowest * 100) * 30], limits);
  const y = scaleLog().domain([low, high]).range([HIGH - MARGIN.bottom, MARGIN.top]).clamp(true);
  const of = (norm: number) => y(Math.max(low, norm));
  const across = Math.max(0, width - MARGIN.left - MARGIN.right);
  return {
    of,
    behind: [
      s('g', { class: 'axis' }, ...rows(y, width, MARGIN, powers(y, [low, high], 6), size)),
      ...limits.flatMap(({ at, below }) => [
        s('rect', {
          class: 'zone', x: MARGIN.left, width: across, y: below ? of(at) : MARGIN.top,
          height: Math.max(0, below ? HIGH - MARGIN.bottom - of(at) : of(at) - MARGIN.top),
        }),
        s('line', { class: 'limit', x1: MARGIN.left, x2: width - MARGIN.right, y1: of(at), y2: of(at) }),
      ]),
    ],
    before: limits.map(({ at, name, below }) =>
      s('text', { class: 'limit-name', x: width - MARGIN.right - 6, 'text-anchor': 'end', y: of(at) + (below ? 15 : -6) }, name)),
  };
}

/** The range with room for the name of each limit within its zone. */
export function withRoom([low, high]: [number, number], limits: Limit[]): [number, number] {
  const share = NAME / (HIGH - MARGIN.top - MARGIN.bottom);
  let [bottom, top] = [Math.log10(low), Math.log10(high)];
  // Room at one end takes some from the other.
  for (let turn = 0; turn < 3; turn += 1) {
    for (const { at, below } of limits) {
      const limit = Math.log10(at);
      if (below) bottom = Math.min(bottom, (limit - share * top) / (1 - share));
      else top = Math.max(top, (limit - share * bottom) / (1 - share));
    }
  }
  return [10 ** bottom, 10 ** top];
}

/** The numbers of the horizontal axis and what they count. */
export function underneath(ticks: { at: number; text: string }[], name: string, width: number): SVGElement {
  return s('g', { class: 'axis' },
    ...ticks.map(({ at, text }) => s('text', { x: at, y: HIGH - 17, 'text-anchor': 'middle' }, text)),
    s('text', { x: width - MARGIN.right, y: HIGH - 2, 'text-anchor': 'end' }, name));
}

export const chart = (width: number, label: string, kind: string, ...parts: (SVGElement | null)[]) => s('svg', {
  class: `chart ${kind}`, width, height: HIGH, viewBox: `0 0 ${width} ${HIGH}`, role: 'img', 'aria-label': label,
}, ...parts);
