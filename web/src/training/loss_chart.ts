// The losses of all runs that are shown: raw faint, smoothed, held out, what was found, and where the best weights are.
import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { s, uid } from '../shared/dom';
import { colourOf, type Board, type Run } from './board';
import { bestOf, heldOf, unitsOf } from './held_chart';
import { columns, lastIndex, powers, rangeOf, rows, scaleOf, type Margin, type Scale } from './curve';
import type { Numbered } from './findings';
import { runInWords, size, thousands } from './words';

export const marginOf = (board: Board, width: number): Margin =>
  ({ top: 26, right: board.several && width >= 720 ? 118 : 18, bottom: 34, left: 52 });

/** The horizontal scale of all charts of the board. */
export const across = (board: Board, width: number, margin: Margin) =>
  scaleLinear().domain(board.range).range([margin.left, width - margin.right]);

export function drawLosses(board: Board, width: number, found: Numbered[]): SVGSVGElement {
  const height = width < 520 ? 260 : 340;
  const margin = marginOf(board, width);
  const x = across(board, width, margin);
  const range = rangeOf(board.shown.flatMap((run) => inSight(board, run)), board.log);
  const y = scaleOf(range, [height - margin.bottom, margin.top], board.log);
  const clip = uid('clip');
  const { together } = board;
  const plot = s('g', { 'clip-path': `url(#${clip})` }, ...board.shown.map((run) =>
    s('g', { class: `run ${colourOf(run)}` }, ...curves(board, run, x, y), ...(together ? heldOf(board, run, x, y) : []))));
  const name = together && board.scored ? 'loss and held-out score' : 'loss';
  return s('svg', {
    class: 'chart losses-chart', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': inWords(board),
  },
  s('clipPath', { id: clip }, s('rect', {
    x: margin.left, y: margin.top - 8, width: Math.max(0, width - margin.left - margin.right + 6), height: height - margin.top - margin.bottom + 12,
  })),
  s('g', { class: 'axis' },
    ...rows(y, width, margin, board.log ? powers(y, range, 5) : y.ticks(5), size),
    ...columns(x, width, height - 16, thousands, board.over !== 'seconds'),
    s('text', { x: 2, y: 12 }, `${name}${unitsOf(board, 'loss_unit')}${board.log ? ', logarithmic' : ''}`),
    s('text', { x: width - margin.right, y: height - 2, 'text-anchor': 'end' }, board.over)),
  plot,
  ...(together ? bestOf(board, x, y, width - margin.right) : []),
  ...badges(board, found, x, y, margin, width, height),
  ...(margin.right > 100 ? names(board, x, y, width, margin, height) : []));
}

/** The losses within the window, as the vertical axis counts them. */
function inSight(board: Board, run: Run): number[] {
  const [from, to] = board.range;
  const of = (places: number[], values: (number | null)[]) =>
    values.filter((value, k): value is number => value !== null && places[k] >= from && places[k] <= to);
  const scores = board.together ? of(run.scored, run.record.validation.map((one) => one.score)) : [];
  return [...of(run.at, run.record.every > 1 ? run.smooth : run.record.loss), ...scores];
}

function curves(board: Board, run: Run, x: Scale, y: Scale): SVGElement[] {
  const { record } = run;
  const drawable = (value: number | null) => value !== null && (!board.log || value > 0);
  const path = (places: number[], values: (number | null)[]) =>
    line<number | null>().defined(drawable).x((_, k) => x(places[k])).y((value) => y(value!))(values) ?? '';
  const band = () => area<number | null>()
    .defined((low, k) => drawable(low) && drawable(record.high[k]))
    .x((_, k) => x(run.at[k])).y0((low) => y(low!)).y1((_, k) => y(record.high[k]!))(record.low) ?? '';
  return [
    record.every > 1 ? s('path', { class: 'raw-band', d: band() }) : s('path', { class: 'raw', d: path(run.at, record.loss) }),
    s('path', { class: 'smooth', d: path(run.at, run.smooth) }),
  ];
}

export const within = (board: Board, value: number) => value >= board.range[0] && value <= board.range[1];

/** The numbers of the findings, where each was first seen; those that would cover each other stand in a pile. */
function badges(
  board: Board, found: Numbered[], x: Scale, y: Scale, margin: Margin, width: number, height: number,
): SVGElement[] {
  const taken: { x: number; y: number }[] = [];
  return found.filter(({ run }) => !board.hidden.has(run.place)).flatMap(({ run, span, nth }) => {
    const at = board.placeOf(run, span.first);
    if (!within(board, at)) return [];
    const near = run.at.length ? Math.max(0, run.at.findIndex((value) => value >= at)) : 0;
    const loss = run.smooth[near] ?? null;
    const cx = Math.max(margin.left + 9, Math.min(width - margin.right - 4, x(at)));
    const drawn = loss !== null && (!board.log || loss > 0);
    let cy = Math.max(margin.top + 4, Math.min(height - margin.bottom - 12, (drawn ? y(loss) : height / 2) - 24));
    while (taken.some((one) => Math.abs(one.x - cx) < 20 && Math.abs(one.y - cy) < 20)) {
      cy = cy > margin.top + 24 ? cy - 21 : height - margin.bottom - 12 - 21 * (taken.length % 5);
      if (taken.length > 40) break;
    }
    taken.push({ x: cx, y: cy });
    return [s('g', { class: `badge ${colourOf(run)}${span.falling ? ' falling' : ''}`, 'data-found': nth },
      drawn ? s('line', { x1: cx, x2: cx, y1: cy + 9, y2: y(loss) }) : null,
      s('circle', { cx, cy, r: 9.5 }),
      s('text', { x: cx, y: cy, dy: '0.35em', 'text-anchor': 'middle' }, nth))];
  });
}

/** A curve that ends so many pixels before the others has its name where it ends. */
const EARLY = 40;

/** The name of each run at the end of its curve, one below the other where they end together. */
function names(board: Board, x: Scale, y: Scale, width: number, margin: Margin, height: number): SVGElement[] {
  const ends = board.shown.flatMap((run) => {
    const k = lastIndex(run.smooth, (value, place) => value !== null && (!board.log || value > 0) && within(board, run.at[place]));
    return k < 0 ? [] : [{ run, x: x(run.at[k]), y: y(run.smooth[k]!) }];
  });
  if (ends.length > 12) return [];
  ends.sort((a, b) => a.y - b.y);
  const right = width - margin.right;
  const late = ends.filter((end) => end.x >= right - EARLY);
  let last = -Infinity;
  const placed = late.map((end) => ({ ...end, x: right + 12, y: (last = Math.max(end.y, last + 15, margin.top)) }));
  const over = Math.max(0, last - (height - margin.bottom));
  placed.forEach((name) => (name.y -= over));
  for (const end of ends.filter((one) => !late.includes(one))) {
    const name = { ...end, x: end.x + 8, y: end.y - 11 };
    while (placed.some((one) => Math.abs(one.x - name.x) < 110 && Math.abs(one.y - name.y) < 14)) name.y -= 15;
    placed.push(name);
  }
  return placed.map(({ run, x: from, y: at }) => s('text', { class: `curve-name ${colourOf(run)}`, x: from, y: at, dy: '0.35em' }, shortened(run.record.name)));
}

const shortened = (name: string) => (name.length > 15 ? `…${name.slice(-14)}` : name);

function inWords(board: Board): string {
  const told = board.shown.map(({ record }) => `${record.name}: ${runInWords(record)}`).join('. ');
  return `Loss over ${board.over}. ${told || 'No run is shown'}.`;
}
