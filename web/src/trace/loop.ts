// The folded cell with its loop, and the chain of steps that it opens into. One set of weights, used at every step.
import { atWidth, h, s, uid } from '../shared/dom';
import { percent, sized, visible } from '../shared/format';
import { colour } from '../shared/heat';
import type { TraceLayer, TraceRecord } from '../shared/records';
import { nameOf, type Stage, type View } from './stage';
import { TILED, keptAt, tileOf, tileUnits } from './tiles';

const HIGH = 252;
const SPACING = 104;
const MOST = 13;
/** Milliseconds that the loop takes to open. */
const OPENING = 900;
const CELL = { ...TILED, y: 104 };
/** At its most a state is drawn so wide. */
const THICK = 9;
/** Characters that fit below a cell. */
const LONGEST = 13;

export function loopView(stage: Stage): View {
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  const frame = h('div', { class: 'loop' });
  const words = h('p', { class: 'quiet' });
  const button = h('button', { class: 'wide', type: 'button', click: () => turn(open > 0.5 ? 0 : 1) });
  const element = h('section', {}, h('h3', {}, 'The loop and its unfolding'), h('div', { class: 'controls' }, button), frame, words);
  let open = still.matches ? 1 : 0;
  let aim = open;
  let running = 0;
  let width = 0;

  function turn(to: number): void {
    aim = to;
    cancelAnimationFrame(running);
    if (still.matches) {
      open = to;
      draw();
      return;
    }
    const [from, began] = [open, performance.now()];
    const move = (now: number) => {
      const share = Math.min(1, (now - began) / OPENING);
      const eased = share * share * (3 - 2 * share);
      open = from + (to - from) * eased;
      draw();
      if (share < 1) running = requestAnimationFrame(move);
    };
    running = requestAnimationFrame(move);
  }

  function draw(): void {
    if (!width) return;
    frame.replaceChildren(chain(stage, width, open));
    button.textContent = aim > 0.5 ? 'Fold it back into a loop' : 'Unfold it over time';
    words.textContent = inWords(stage, aim < 0.5);
  }

  // It opens once, when it is first seen.
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    seen.disconnect();
    if (aim === 0) turn(1);
  }, { threshold: 0.6 });
  seen.observe(frame);
  atWidth(frame, (now) => {
    width = now;
    draw();
  });
  return { element, redraw: draw, update: draw };
}

/** The steps that are drawn: so many as there is room for, with the cursor's in the middle. */
export function windowOf(step: number, steps: number, room: number): [number, number] {
  const count = Math.min(steps, Math.max(1, room));
  const first = Math.max(0, Math.min(steps - count, step - Math.floor(count / 2)));
  return [first, first + count - 1];
}

function chain(stage: Stage, width: number, open: number): SVGSVGElement {
  const { trace, now, layer } = stage;
  const room = Math.min(MOST, Math.floor((width - 40) / SPACING));
  const [first, last] = windowOf(now.step, stage.steps, room);
  const middle = width / 2;
  // All columns begin where the cursor's is, and drift apart from there to their places.
  const placeOf = (step: number) => {
    const there = middle + (step - (first + last) / 2) * SPACING;
    return middle + (there - middle) * open;
  };
  const svg = s('svg', { width, height: HIGH, role: 'img', 'aria-label': inWords(stage, open < 0.5) });
  const arrows = s('g', {});
  const columns = s('g', {});
  const backs = s('g', {});
  svg.append(marker(headOf(stage)), backs, arrows, columns);
  for (let step = first; step <= last + 1; step += 1) arrows.append(...carried(stage, step, [first, last], placeOf, open));
  for (let step = first; step <= last; step += 1) {
    const here = step === now.step;
    const place = { transform: `translate(${placeOf(step)},0)`, opacity: here ? 1 : open, click: () => stage.go(step) };
    backs.append(s('rect', { ...place, class: here ? 'hit here' : 'hit', x: -SPACING / 2 + 2, y: 2, width: SPACING - 4, height: HIGH - 4, rx: 10 }));
    const column = s('g', { class: here ? 'step here' : 'step', ...place });
    column.append(...columnOf(stage, trace, layer, step));
    // The cursor's column lies on top while the others are under it.
    if (here) columns.append(column);
    else columns.prepend(column);
  }
  // Its words would be written over the columns that come.
  if (open < 0.5) svg.append(...loop(placeOf(now.step), 1 - 2 * open, headOf(stage)));
  return svg;
}

/** Of its own for each sequence of a page: one inside what is hidden draws nothing. */
const headOf = (stage: Stage) => stage.once('head', () => uid('loop-head'));

function marker(id: string): SVGElement {
  return s('defs', {}, s('marker', { id, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto-start-reverse' },
    s('path', { d: 'M0,0.5 L7.5,4 L0,7.5 z' })));
}

/** The arrow that brings the state to a step, as wide as what is kept of it. */
function carried(stage: Stage, step: number, [first, last]: [number, number], placeOf: (step: number) => number, open: number): Node[] {
  const { layer, steps } = stage;
  const middle = CELL.y + CELL.high / 2;
  const [left, right] = [placeOf(step - 1) + CELL.wide / 2, placeOf(step) - CELL.wide / 2];
  if (right - left < 6) return [];
  const into = layer.reverse ? step - 1 : step;
  const outside = step === first || step === last + 1;
  if (into < 0 || into >= steps) return [];
  const kept = keptAt(layer, into);
  const wide = kept === null ? 2.5 : 1 + (THICK - 1) * kept;
  const ends = layer.reverse ? [right, left + 4] : [left, right - 4];
  const from = outside && step === first ? Math.max(ends[0], right - 30) : ends[0];
  const to = outside && step === last + 1 ? Math.min(ends[1], left + 30) : ends[1];
  const name = kept === null ? null : s('text', { class: 'kept', x: (left + right) / 2, y: middle - 10, 'text-anchor': 'middle' }, kept.toFixed(2));
  return [s('g', { opacity: open * (outside ? 0.5 : 1), class: 'carried' },
    s('line', { x1: from, x2: to, y1: middle, y2: middle, 'stroke-width': wide, class: layer.cuts[into] ? 'cut' : '' }),
    s('path', { class: 'tip-of', d: layer.reverse ? `M${to + 4},${middle - 5 - wide / 3} L${to - 4},${middle} L${to + 4},${middle + 5 + wide / 3} z` : `M${to - 4},${middle - 5 - wide / 3} L${to + 4},${middle} L${to - 4},${middle + 5 + wide / 3} z` }),
    outside ? null : name)];
}

/** The loop of the folded cell: the state goes back to where it came from. */
function loop(x: number, opacity: number, head: string): Node[] {
  const [top, side] = [CELL.y + CELL.high / 2, CELL.wide / 2];
  return [s('g', { opacity, class: 'carried' },
    s('path', { d: `M${x + side},${top} c58,0 58,62 0,62 h${-2 * side} c-58,0 -58,-62 -6,-62`, 'marker-end': `url(#${head})`, fill: 'none', 'stroke-width': 2.5 }),
    // In short lines: a phone has no room beside the loop.
    s('text', { class: 'loop-name', y: top + 19 }, ...['the state ', 'goes on to ', 'the next step'].map((words, row) =>
      s('tspan', { x: x + side + 48, dy: row ? 17 : 0 }, words))))];
}

function columnOf(stage: Stage, trace: TraceRecord, layer: TraceLayer, step: number): Node[] {
  const { colours, limit } = stage;
  const tiles = tileUnits(stage, stage.now.layer).map((unit, k) => {
    return s('rect', {
      class: unit === stage.now.unit ? 'tile chosen' : 'tile', ...tileOf(k, CELL.y), fill: colour(stage.rows[step][unit], limit, colours),
      click: (event: MouseEvent) => {
        event.stopPropagation();
        stage.choose({ unit, step });
      },
    }, s('title', {}, `unit ${layer.units[unit]}: ${stage.rows[step][unit].toFixed(3)}`));
  });
  const output = outputOf(stage, step);
  return [
    s('text', { class: `out${sizeOf(output[0])}`, y: 30, 'text-anchor': 'middle' }, output[0]),
    s('text', { class: 'small', y: 47, 'text-anchor': 'middle' }, output[1]),
    s('line', { class: 'up', x1: 0, x2: 0, y1: CELL.y - 4, y2: 56, 'marker-end': `url(#${headOf(stage)})` }),
    s('rect', { class: 'box', x: -CELL.wide / 2, y: CELL.y, width: CELL.wide, height: CELL.high, rx: 9 }),
    ...tiles,
    s('line', { class: 'up', x1: 0, x2: 0, y1: 194, y2: CELL.y + CELL.high + 5, 'marker-end': `url(#${headOf(stage)})` }),
    s('text', { class: `in${sizeOf(visible(trace.inputs[step]))}`, y: 214, 'text-anchor': 'middle' }, clipped(visible(trace.inputs[step]))),
    s('text', { class: 'small', y: 234, 'text-anchor': 'middle' }, String(step + 1)),
  ];
}

function outputOf(stage: Stage, step: number): [string, string] {
  const { trace } = stage;
  if (trace.expected) {
    return [clipped(visible(trace.expected.choices[step][0])), `${percent(trace.expected.chances[step][0])}% likely`];
  }
  if (trace.answers) {
    const row = [...trace.answers.chances[step]];
    const best = row.indexOf(Math.max(...row));
    return [clipped(trace.answers.names[best]), `${percent(row[best])}%`];
  }
  const { layer, now } = stage;
  return [sized(layer.states.h[step][now.unit]), `h of unit ${layer.units[now.unit]}`];
}

/** What does not fit a column is cut; longer words are written smaller. */
const clipped = (text: string) => {
  // Of a span of times its beginning.
  const short = text.length > LONGEST ? text.replace(/ to .*$/, ' …') : text;
  return short.length > LONGEST ? `${short.slice(0, LONGEST - 1)}…` : short;
};
const sizeOf = (text: string) => (text.length > 7 ? ' long' : '');

function inWords(stage: Stage, folded: boolean): string {
  const { layer, now, steps } = stage;
  const kept = keptAt(layer, now.step);
  const where = layer.reverse ? 'from right to left' : 'from left to right';
  const gate = kept === null || folded ? '' : ` At step ${now.step + 1} the cell keeps ${percent(kept)}% of its old state, on average over its units: the wider the arrow, the more.`;
  return `One cell of ${nameOf(layer)} with one set of weights is used at ${steps === 1 ? 'one step' : `each of ${steps} steps`}: the input comes from below, the state goes on ${where}, the output leaves above.${gate}`;
}
