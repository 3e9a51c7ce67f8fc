// The held-out scores: among the losses where both are counted in the same, otherwise in a chart of their own below.
import { line } from 'd3-shape';
import { s, uid } from '../shared/dom';
import { colourOf, type Board, type Run } from './board';
import { powers, rangeOf, rows, scaleOf, type Margin, type Scale } from './curve';
import { across, marginOf, within } from './loss_chart';
import { overfitsSince } from './overfitting';
import { size } from './words';

const HIGH = 164;

/** `, bits per character`: what all that is shown is counted in, or nothing where a log does not say. */
export function unitsOf(board: Board, of: 'loss_unit' | 'score_unit'): string {
  const known = new Set(board.shown.flatMap(({ record }) => record[of] ?? []));
  return known.size ? `, ${[...known].join(' or ')}` : '';
}

const drawable = (board: Board, score: number | null): score is number => score !== null && (!board.log || score > 0);

export function heldOf(board: Board, run: Run, x: Scale, y: Scale): SVGElement[] {
  const scores = run.record.validation.map((one) => one.score);
  const alone = board.several ? '' : ' held-alone';
  const path = line<number | null>().defined((score) => drawable(board, score)).x((_, k) => x(run.scored[k])).y((score) => y(score!))(scores) ?? '';
  return [
    s('path', { class: `held-line${alone}`, d: path }),
    ...scores.flatMap((score, k) => (drawable(board, score) ? [s('circle', { class: `held-point${alone}`, cx: x(run.scored[k]), cy: y(score), r: 3.2 })] : [])),
  ];
}

/** A ring around the best held-out score of each run; where it is long past, what came after, below the rising curve. */
export function bestOf(board: Board, x: Scale, y: Scale, right: number): SVGElement[] {
  return board.shown.flatMap((run) => {
    const k = run.record.validation.findIndex((one) => one.step === run.record.best);
    const score = run.record.validation[k]?.score ?? null;
    if (!drawable(board, score) || !within(board, run.scored[k])) return [];
    const [cx, cy] = [x(run.scored[k]), y(score)];
    const since = overfitsSince(run.record) !== null;
    const told = `best ${size(score)}${since ? ', overfitting since' : ''}`;
    const wide = 6.4 * told.length;
    // What is told of the time since then stands on its side.
    const after = since || cx - wide / 2 < 60;
    const anchor = cx + (after ? wide : wide / 2) > right ? 'end' : after ? 'start' : 'middle';
    return [s('g', { class: `best ${colourOf(run)}${board.several ? '' : ' held-alone'}` },
      s('circle', { cx, cy, r: 7 }),
      board.several ? null : s('text', { x: cx, y: since ? cy + 21 : cy - 12, 'text-anchor': anchor }, told))];
  });
}

/** The scores over the axis of the losses, in a unit of their own. */
export function drawHeld(board: Board, width: number): SVGSVGElement {
  const margin: Margin = { ...marginOf(board, width), top: 30, bottom: 26 };
  const x = across(board, width, margin);
  const known = board.shown.flatMap((run) => run.record.validation.flatMap(({ score }, k) => (drawable(board, score) && within(board, run.scored[k]) ? [score] : [])));
  const range = rangeOf(known, board.log);
  const y = scaleOf(range, [HIGH - margin.bottom, margin.top], board.log);
  const clip = uid('clip');
  const name = `held-out score${unitsOf(board, 'score_unit')}${board.log ? ', logarithmic' : ''}`;
  return s('svg', {
    class: 'chart held-chart', width, height: HIGH, viewBox: `0 0 ${width} ${HIGH}`, role: 'img',
    'aria-label': `${name}. ${board.shown.map(({ record }) => `${record.name}: last ${size(record.validation.at(-1)?.score, 4)}`).join('. ')}.`,
  },
  s('clipPath', { id: clip }, s('rect', { x: margin.left - 4, y: margin.top - 6, width: Math.max(0, width - margin.left - margin.right + 10), height: HIGH - margin.top - margin.bottom + 12 })),
  s('g', { class: 'axis' }, ...rows(y, width, margin, board.log ? powers(y, range, 3) : y.ticks(3), size), s('text', { x: 2, y: 14 }, name)),
  s('g', { 'clip-path': `url(#${clip})` }, ...board.shown.map((run) => s('g', { class: `run ${colourOf(run)}` }, ...heldOf(board, run, x, y)))),
  ...bestOf(board, x, y, width - margin.right));
}
