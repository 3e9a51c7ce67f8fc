// Attention: which sources each step looked at, as links between two rows of tokens and as a heat map.
import { atWidth, h, s } from '../shared/dom';
import { listed, percent } from '../shared/format';
import { ink } from './ink';
import { turning } from './pair';
import { columnIn, rowOf, rowPlaces } from './rows';
import type { Stage, View } from './stage';
import { named } from './symbols';
import { piecesOf } from './words';

const TALL = 190;
/** Columns and rows of the map, in pixels: as wide as there is room for, within these. */
const [NARROW, WIDE, HIGH] = [11, 40, 22];
const [LETTER, NAMES] = [7.9, 112];
/** Links below this are not drawn; those of other steps only where there are few. */
const [FAINT, MANY] = [0.02, 3600];

/** Null for a trace without attention. */
export function linksView(stage: Stage): View | null {
  const { links } = stage.trace;
  if (!links) return null;
  const { weights } = links;
  const { pair } = stage;
  const [sources, targets] = [piecesOf(links.sources, stage.trace.source?.joined ?? false), piecesOf(links.targets, stage.trace.joined)];
  const [above, below] = [rowOf(sources), rowOf(targets)];
  const rows = h('div', { class: 'scroll', ...turning(stage) });
  const map = h('div', { class: 'attention' });
  const [row, column] = [h('div', { class: 'row-mark' }), h('div', { class: 'column-mark' })];
  const here = h('p', { class: 'saying' });
  const toSource = (step: number) => pair?.source.go(step);
  const toTarget = (step: number) => stage.go(step);

  function drawLinks(): void {
    const { step } = stage.now;
    const fromSource = pair?.leads === pair?.source ? pair?.source.now.step : undefined;
    const [x0, x1, wide] = rowPlaces(above, below);
    const path = (target: number, source: number) =>
      `M${x0[source]},38 C${x0[source]},${TALL / 2} ${x1[target]},${TALL / 2} ${x1[target]},${TALL - 40}`;
    const svg = s('svg', { width: wide, height: TALL, class: 'links', role: 'img', 'aria-label': inWords(stage) });
    const chosen = (target: number, source: number) => (fromSource === undefined ? target === step : source === fromSource);
    const drawn = weights.flatMap((values, target) => Array.from(values, (weight, source) => ({ target, source, weight })))
      .filter(({ target, source, weight }) => weight > (chosen(target, source) ? FAINT : 5 * FAINT));
    if (weights.length * sources.length <= MANY) {
      svg.append(...drawn.filter(({ target, source }) => !chosen(target, source))
        .map(({ target, source, weight }) => s('path', { class: 'link', d: path(target, source), 'stroke-opacity': 0.3 * weight })));
    }
    svg.append(...drawn.filter(({ target, source }) => chosen(target, source)).map(({ target, source, weight }) =>
      s('path', { class: 'link now', d: path(target, source), 'stroke-opacity': 0.1 + 0.9 * weight, 'stroke-width': 1 + 4 * weight })));
    const lit = pair?.lit ?? [...weights[step]];
    sources.forEach((text, k) => svg.append(token(text, x0[k], 24, fromSource === undefined ? lit[k] : k === fromSource, () => toSource(k))));
    targets.forEach((text, k) => svg.append(token(text, x1[k], TALL - 18, fromSource === undefined ? k === step : lit[k], () => toTarget(k))));
    const at = rows.scrollLeft;
    rows.replaceChildren(svg);
    rows.scrollLeft = columnIn(rows, at, fromSource === undefined ? x1[step] : x0[fromSource]);
  }

  function drawMap(): void {
    const room = map.parentElement?.clientWidth ?? 0;
    if (!room) return;
    const longest = Math.max(...targets.map((text) => text.length));
    const left = Math.min(NAMES, LETTER * longest + 12);
    const cell = Math.min(WIDE, (room - left - 2) / sources.length);
    const named = cell >= NARROW;
    const high = named ? HIGH : Math.max(2, Math.min(HIGH, 320 / targets.length));
    const [wide, tall] = [Math.floor(cell * sources.length), Math.round(high * targets.length)];
    const canvas = h('canvas', {
      role: 'img', style: `width: ${wide}px; height: ${tall}px`, width: Math.round(wide * window.devicePixelRatio), height: Math.round(tall * window.devicePixelRatio),
      'aria-label': `Weights of ${sources.length} sources (columns) at ${targets.length} steps (rows)`,
      click: (event: MouseEvent) => {
        const box = canvas.getBoundingClientRect();
        toTarget(Math.floor(((event.clientY - box.top) / box.height) * targets.length));
      },
    });
    ink(canvas, weights, [0, 1], stage.dark.matches);
    const grid = h('div', { class: 'cells', style: `width: ${wide}px` }, canvas, row, column);
    map.style.gridTemplateColumns = named ? `${left}px auto` : 'auto';
    map.replaceChildren(...(named ? [h('span', {}), columnNames(wide), rowNames(left, high, tall), grid] : [grid]));
  }

  /** Across where they fit, else upright. */
  function columnNames(wide: number): SVGSVGElement {
    const cell = wide / sources.length;
    const longest = Math.max(...sources.map((text) => text.length));
    const upright = LETTER * longest > cell - 4;
    const tall = upright ? Math.min(NAMES, LETTER * longest + 8) : 20;
    return s('svg', { width: wide, height: tall, class: 'names above', 'aria-hidden': 'true' }, ...sources.map((text, k) => {
      const x = (k + 0.5) * cell;
      const place = upright ? { transform: `translate(${x + 4},${tall - 4}) rotate(-90)` } : { x, y: tall - 6, 'text-anchor': 'middle' };
      return s('text', { ...place, click: () => toSource(k) }, clipped(text));
    }));
  }

  function rowNames(left: number, high: number, tall: number): SVGSVGElement {
    return s('svg', { width: left, height: tall, class: 'names beside', 'aria-hidden': 'true' }, ...targets.map((text, k) =>
      s('text', { x: left - 8, y: (k + 0.5) * high + 4.5, 'text-anchor': 'end', click: () => toTarget(k) }, clipped(text))));
  }

  function update(): void {
    const ofSource = pair?.leads === pair?.source && pair;
    const [step, source] = [stage.now.step, pair?.source.now.step ?? -1];
    drawLinks();
    row.style.top = `${(100 * step) / targets.length}%`;
    row.style.height = `${100 / targets.length}%`;
    column.style.left = `${(100 * source) / sources.length}%`;
    column.style.width = `${100 / sources.length}%`;
    row.hidden = Boolean(ofSource);
    column.hidden = !ofSource;
    here.textContent = inWords(stage);
    map.querySelectorAll('.beside text').forEach((name, k) => name.classList.toggle('here', k === step));
    map.querySelectorAll('.above text').forEach((name, k) => name.classList.toggle('here', k === source));
  }

  const table = h('div', { class: 'attention-table' }, map);
  atWidth(table, () => {
    drawMap();
    update();
  });
  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'Where it looked'), rows, here, table,
      h('p', { class: 'quiet' }, 'One row for each token of the translation, one column for each token of the sentence. The more a cell stands out, the more it was looked at.')),
    redraw: drawMap,
    update,
  };
}

/** A token of one of the two rows: where the cursor is, or lit by how much it is linked to that. */
function token(text: string, x: number, y: number, state: boolean | number, click: () => void): SVGTextElement {
  const kind = state === true ? 'token here' : state && state > 0.1 ? 'token seen' : 'token';
  return s('text', { x, y, 'text-anchor': 'middle', class: kind, click }, text);
}

const clipped = (text: string) => (text.length > NAMES / LETTER - 1 ? `${text.slice(0, NAMES / LETTER - 2)}…` : text);

/** What the step under the cursor looked at most; or of a source, which steps looked at it. */
export function inWords({ trace, pair, now }: Stage): string {
  const { sources, targets, weights } = trace.links!;
  const said = (text: string) => named(trace, text.trim() || text);
  if (pair && pair.leads === pair.source) {
    const source = pair.source.now.step;
    const best = largest(weights.map((row) => row[source]));
    if (!best.length) return `At ${said(sources[source])} no step looked in particular.`;
    return `At ${said(sources[source])} looked most ${listed(best.map(({ weight, k }) => `${said(targets[k])} (${percent(weight)}%)`))}.`;
  }
  const best = largest([...weights[now.step]]);
  if (!best.length) return `For ${said(targets[now.step])} it looked at no source in particular.`;
  return `For ${said(targets[now.step])} it looked most at ${best.map(({ weight, k }) => `${said(sources[k])} (${percent(weight)}%)`).join(', ')}.`;
}

function largest(weights: number[]): { weight: number; k: number }[] {
  return weights.map((weight, k) => ({ weight, k })).sort((a, b) => b.weight - a.weight).slice(0, 3).filter(({ weight }) => weight >= 0.1);
}

