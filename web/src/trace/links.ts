// Attention: which sources each step looked at, as links between two rows of tokens and as a heat map.
import { atWidth, h, s } from '../shared/dom';
import { percent, quoted, visible } from '../shared/format';
import { ink } from './ink';
import type { Stage, View } from './stage';

const [LETTER, GAP, TALL] = [8.5, 30, 180];
/** Rows and columns that have room for their names. */
const NAMED = 24;
/** Links below this are not drawn; those of other steps only where there are few. */
const [FAINT, MANY] = [0.02, 600];

/** Null for a trace without attention. */
export function linksView(stage: Stage): View | null {
  const { links } = stage.trace;
  if (!links) return null;
  const { sources, targets, weights } = links;
  const rows = h('div', { class: 'scroll' });
  const map = h('div', { class: 'attention' });
  const named = sources.length <= NAMED && targets.length <= NAMED;
  const names = targets.map((text, step) => h('span', { click: () => stage.go(step) }, visible(text)));
  const table = h('div', { class: named ? 'attention-table named' : 'attention-table' },
    named ? h('div', { class: 'names' }, ...names) : null,
    named ? h('div', { class: 'columns' }, ...sources.map((text) => h('span', {}, visible(text)))) : null, map);
  const mark = h('div', { class: 'row-mark' });
  const here = h('p', { class: 'saying' });
  const [above, below] = [placesOf(sources), placesOf(targets)];
  const wide = Math.max(above.width, below.width);

  function drawLinks(): void {
    const { step } = stage.now;
    const shift = (width: number) => (wide - width) / 2;
    const path = (target: number, source: number) => {
      const [x0, x1] = [above.centres[source] + shift(above.width), below.centres[target] + shift(below.width)];
      return `M${x0},34 C${x0},${TALL / 2} ${x1},${TALL / 2} ${x1},${TALL - 32}`;
    };
    const svg = s('svg', { width: wide, height: TALL, class: 'links', role: 'img', 'aria-label': inWords(links!, step) });
    if (sources.length * targets.length <= MANY) {
      weights.forEach((row, target) => row.forEach((weight, source) => {
        if (target !== step && weight > 5 * FAINT) svg.append(s('path', { class: 'link', d: path(target, source), 'stroke-opacity': 0.25 * weight }));
      }));
    }
    weights[step].forEach((weight, source) => {
      if (weight > FAINT) svg.append(s('path', { class: 'link now', d: path(step, source), 'stroke-opacity': 0.1 + 0.9 * weight, 'stroke-width': 1 + 4 * weight }));
    });
    sources.forEach((text, k) => svg.append(s('text', {
      x: above.centres[k] + shift(above.width), y: 24, 'text-anchor': 'middle', class: weights[step][k] > 0.1 ? 'token seen' : 'token',
    }, visible(text))));
    targets.forEach((text, k) => svg.append(s('text', {
      x: below.centres[k] + shift(below.width), y: TALL - 12, 'text-anchor': 'middle', class: k === step ? 'token here' : 'token',
      click: () => stage.go(k),
    }, visible(text))));
    rows.replaceChildren(svg);
  }

  function drawMap(): void {
    const width = map.clientWidth;
    if (!width) return;
    const high = named ? 24 * targets.length : Math.max(40, Math.min(320, 6 * targets.length));
    const canvas = h('canvas', {
      role: 'img', style: `height: ${high}px`, width: Math.round(width * window.devicePixelRatio), height: Math.round(high * window.devicePixelRatio),
      'aria-label': `Weights of ${sources.length} sources (columns) at ${targets.length} steps (rows)`,
      click: (event: MouseEvent) => {
        const box = canvas.getBoundingClientRect();
        stage.go(Math.floor(((event.clientY - box.top) / box.height) * targets.length));
      },
    });
    ink(canvas, weights, [0, 1], stage.dark.matches);
    map.replaceChildren(canvas, mark);
  }

  function update(): void {
    drawLinks();
    mark.style.top = `${(100 * stage.now.step) / targets.length}%`;
    mark.style.height = `${100 / targets.length}%`;
    here.textContent = inWords(links!, stage.now.step);
    names.forEach((name, step) => name.classList.toggle('here', step === stage.now.step));
  }

  atWidth(map, drawMap);
  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'Where it looked'), rows, here, table,
      h('p', { class: 'quiet' }, 'One row a step, one column a source. The more a cell stands out, the more it was looked at.')),
    redraw: drawMap,
    update,
  };
}

function placesOf(texts: string[]): { centres: number[]; width: number } {
  let at = GAP / 2;
  const centres = texts.map((text) => {
    const own = LETTER * Math.max(1, visible(text).length);
    at += own + GAP;
    return at - GAP - own / 2;
  });
  return { centres, width: at };
}

/** What a step looked at most. */
export function inWords({ sources, targets, weights }: NonNullable<Stage['trace']['links']>, step: number): string {
  const best = Array.from(weights[step], (weight, k) => ({ weight, k })).sort((a, b) => b.weight - a.weight).slice(0, 3)
    .filter(({ weight }) => weight >= 0.1);
  if (!best.length) return `For ${quoted(targets[step])} it looked at no source in particular.`;
  return `For ${quoted(targets[step])} it looked most at ${best.map(({ weight, k }) => `${quoted(sources[k])} (${percent(weight)}%)`).join(', ')}.`;
}
