// The encoder and the decoder, unfolded one above the other: the layers of the encoder along what was read, those of the
// decoder along what was answered, and between them where each step looked.
import { atWidth, h, s } from '../shared/dom';
import { percent } from '../shared/format';
import { colour } from '../shared/heat';
import type { TraceLayer } from '../shared/records';
import { cameAfter } from './came';
import { turning, type Pair } from './pair';
import { BETWEEN, columnIn, rowOf, rowPlaces, widthOf } from './rows';
import { limitOf, nameOf, quantitiesOf, quantityOf, spelled, type Stage, type View } from './stage';
import { named } from './symbols';
import { TILED, keptAt, tileOf, tileUnits } from './tiles';
import { piecesOf } from './words';

const [GAP, BAND, TOKEN, GUTTER] = [20, 104, 40, 78];
const FAINT = 0.02;

/** One of the two, with its tokens and where it stands. */
interface Side {
  stage: Stage;
  tokens: string[];
  /** The middle of each step. */
  x: number[];
  /** The top of each layer. */
  y: number[];
  /** Of the tokens. */
  base: number;
}

/** Null for a trace that is no translation. */
export function translationView(stage: Stage): View | null {
  const { pair } = stage;
  if (!pair) return null;
  const scroller = h('div', { class: 'scroll translation-scroll', ...turning(stage) });
  const gutter = h('div', { class: 'gutter', 'aria-hidden': 'true' });
  const words = h('p', { class: 'quiet' });
  let update = (): void => undefined;

  function redraw(): void {
    const [above, below, wide, tall] = placed(pair!);
    const svg = s('svg', { class: 'translation', width: wide, height: tall, role: 'img', 'aria-label': inWords(pair!) });
    const [lit, links, fed, cells] = [s('g', {}), s('g', {}), s('g', {}), s('g', {})];
    svg.append(heads(), lit, links, fed, cells);
    for (const side of [above, below]) drawSide(side, cells, side === above);
    fed.append(...below.x.slice(1).map((_, step) => s('path', { class: 'fed', 'marker-end': 'url(#fed-head)', d: feeding(below, step) })));

    update = () => {
      const weights = pair!.lit;
      const { step } = pair!.leads.now;
      const [leading, other] = pair!.leads === pair!.target ? [below, above] : [above, below];
      lit.replaceChildren(columnMark(leading, step, tall, above, 1), ...weights.flatMap((weight, k) => (weight > FAINT ? [columnMark(other, k, tall, above, weight)] : [])));
      links.replaceChildren(...linksOf(pair!, above, below));
      cells.querySelectorAll('.step').forEach((one) => one.classList.toggle('here', one === cells.children[leading === above ? step : above.x.length + step]));
      svg.setAttribute('aria-label', inWords(pair!));
      words.textContent = inWords(pair!);
      scroller.scrollLeft = columnIn(scroller, scroller.scrollLeft, leading.x[step]);
    };
    const at = scroller.scrollLeft;
    scroller.replaceChildren(svg);
    scroller.scrollLeft = at;
    gutter.replaceChildren(labels(above, below, tall));
    update();
  }

  atWidth(scroller, () => update());
  return {
    element: h('section', {}, h('h3', {}, 'The encoder and the decoder, unfolded'),
      h('p', { class: 'quiet' }, 'Above, the layers of the encoder along what was read; below, those of the decoder along what it answers, a token at a time. The wider an arrow, the more of its old state a step keeps. ',
        stage.trace.links ? 'Between them: where the step under the cursor looked, or which steps looked at the source under it. ' : 'Between them stands one vector: all that the decoder knows of what was read. ',
        'Click into either row, or press ', h('kbd', {}, '↑'), ' and ', h('kbd', {}, '↓'), ', to take the cursor there.'),
      h('div', { class: 'unfolded-frame' }, gutter, scroller), words),
    redraw,
    update: () => update(),
  };
}

/** Both sides, and the size of the picture. */
function placed({ source, target }: Pair): [Side, Side, number, number] {
  const answers = target.trace.inputs.map((_, step) => cameAfter(target.trace, step) ?? '');
  const [read, answered] = [piecesOf(source.trace.inputs, source.trace.joined), piecesOf(answers, target.trace.joined)];
  const [top, bottom, wide] = rowPlaces(rowOf(read, TILED.wide), rowOf(answered, TILED.wide));
  const layersFrom = (stage: Stage, y: number) => stage.trace.layers.map((_, k) => y + k * (TILED.high + GAP));
  const above = { stage: source, tokens: read, x: top, y: layersFrom(source, TOKEN + 12), base: 22 };
  const y = layersFrom(target, above.y.at(-1)! + TILED.high + BAND);
  const base = y.at(-1)! + TILED.high + 38;
  return [above, { stage: target, tokens: answered, x: bottom, y, base }, wide, base + 20];
}

function drawSide({ stage, tokens, x, y, base }: Side, cells: SVGGElement, reads: boolean): void {
  const { layers } = stage.trace;
  const shown = layers.map((layer, k) => {
    const quantity = quantitiesOf(layer).includes(stage.now.quantity) ? stage.now.quantity : 'h';
    const rows = quantityOf(layer, quantity);
    return { layer, rows, units: tileUnits(stage, k), limit: stage.once(`limit ${k} ${quantity}`, () => limitOf(rows, quantity)) };
  });
  tokens.forEach((token, step) => {
    const cell = s('g', { class: 'step', transform: `translate(${x[step]},0)`, click: () => stage.go(step) },
      s('rect', { class: 'hit', x: -TILED.wide / 2 - 8, y: reads ? 0 : y[0] - 10, width: TILED.wide + 16, height: reads ? y.at(-1)! + TILED.high + 10 : base - y[0] + 24 }),
      s('text', { class: 'token', x: 0, y: base, 'text-anchor': 'middle' }, token));
    const [from, to] = reads ? [base + 8, y[0] - 6] : [y.at(-1)! + TILED.high + 3, base - 18];
    cell.append(s('line', { class: 'up', x1: 0, x2: 0, y1: from, y2: to, 'marker-end': 'url(#fed-head)' }));
    shown.forEach(({ layer, rows, units, limit }, k) => {
      cell.append(...carried(layer, step, x, y[k]));
      if (!reads && k) cell.append(s('line', { class: 'up', x1: 0, x2: 0, y1: y[k - 1] + TILED.high + 2, y2: y[k] - 6, 'marker-end': 'url(#fed-head)' }));
      cell.append(s('rect', { class: k === stage.now.layer ? 'box chosen' : 'box', x: -TILED.wide / 2, y: y[k], width: TILED.wide, height: TILED.high, rx: 8 }),
        ...units.map((unit, place) => s('rect', {
          class: k === stage.now.layer && unit === stage.now.unit ? 'tile chosen' : 'tile', ...tileOf(place, y[k]), fill: colour(rows[step][unit], limit, stage.colours),
          click: (event: MouseEvent) => {
            event.stopPropagation();
            stage.choose({ layer: k, unit, step });
          },
        }, s('title', {}, `unit ${layer.units[unit]}: ${rows[step][unit].toFixed(3)}`))));
    });
    cells.append(cell);
  });
}

/** The arrow that brings the state to a step, as wide as what is kept of it. */
function carried(layer: TraceLayer, step: number, x: number[], top: number): Node[] {
  const before = x[layer.reverse ? step + 1 : step - 1];
  if (before === undefined) return [];
  const [sign, y, kept] = [layer.reverse ? -1 : 1, top + TILED.high / 2, keptAt(layer, step)];
  const wide = kept === null ? 2 : 1 + 6 * kept;
  const [from, to] = [before - x[step] + (sign * TILED.wide) / 2, (-sign * TILED.wide) / 2];
  const tip = to - sign * 2;
  return [s('g', { class: 'carried' },
    s('line', { x1: from, x2: to - sign * 8, y1: y, y2: y, 'stroke-width': wide, class: layer.cuts[step] ? 'cut' : '' }),
    s('path', { class: 'tip-of', d: `M${to - sign * 9},${y - 4 - wide / 3} L${tip},${y} L${to - sign * 9},${y + 4 + wide / 3} z` }))];
}

/** From an answer to the cell that reads it, between the two columns. */
function feeding({ x, y, base, tokens }: Side, step: number): string {
  const text = widthOf(tokens[step]);
  const [from, across] = [x[step] + text / 2 + 4, x[step] + Math.max(TILED.wide, text) / 2 + BETWEEN / 2 + 3];
  const [to, floor] = [x[step + 1] - TILED.wide / 2 + 10, y[0] + TILED.high];
  return `M${from},${base - 5} H${Math.max(from, across - 7)} Q${across},${base - 5} ${across},${base - 12} V${floor + 15} Q${across},${floor + 9} ${across + 6},${floor + 9} H${to - 4} Q${to},${floor + 9} ${to},${floor + 3}`;
}

function columnMark({ x, y, base }: Side, step: number, tall: number, above: Side, weight: number): SVGRectElement {
  const top = y === above.y;
  const [from, to] = top ? [2, y.at(-1)! + TILED.high + 7] : [y[0] - 7, Math.min(tall - 2, base + 14)];
  return s('rect', { class: weight === 1 ? 'cursor' : 'lit', x: x[step] - TILED.wide / 2 - 7, y: from, width: TILED.wide + 14, height: to - from, rx: 9, opacity: Math.sqrt(weight) });
}

/** All links faint, those of the step under the cursor as strong as their weights; without attention the one vector. */
function linksOf({ leads, source, target }: Pair, above: Side, below: Side): Node[] {
  const [from, to] = [above.y.at(-1)! + TILED.high + 5, below.y[0] - 5];
  const path = (a: number, b: number) => `M${a},${from} C${a},${from + BAND / 2} ${b},${to - BAND / 2} ${b},${to}`;
  const { links } = target.trace;
  if (!links) {
    // A layer that reads backward ends at the first token.
    return source.trace.layers.filter(({ index }) => index === source.trace.layers.at(-1)!.index).map(({ reverse }) =>
      s('path', { class: 'link now', d: path(above.x.at(reverse ? 0 : -1)!, below.x[0]), 'stroke-width': 4 }));
  }
  const [faint, strong]: [Node[], Node[]] = [[], []];
  links.weights.forEach((row, step) => row.forEach((weight, k) => {
    const chosen = leads === target ? step === target.now.step : k === source.now.step;
    if (chosen && weight > FAINT) strong.push(s('path', { class: 'link now', d: path(above.x[k], below.x[step]), 'stroke-opacity': 0.1 + 0.9 * weight, 'stroke-width': 1 + 5 * weight }));
    else if (weight > 5 * FAINT) faint.push(s('path', { class: 'link', d: path(above.x[k], below.x[step]), 'stroke-opacity': 0.22 * weight }));
  }));
  return [...faint, ...strong];
}

function heads(): SVGElement {
  return s('defs', {}, s('marker', { id: 'fed-head', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: 'userSpaceOnUse', orient: 'auto' },
    s('path', { d: 'M0,0.5 L7.5,4 L0,7.5 z' })));
}

function labels(above: Side, below: Side, tall: number): SVGSVGElement {
  const svg = s('svg', { width: GUTTER, height: tall });
  const label = (y: number, name: string, more = '') => svg.append(s('text', { x: 0, y, class: 'name' }, name), s('text', { x: 0, y: y + 15 }, more));
  label(above.base, 'reads');
  label(below.base, 'answers');
  for (const [{ stage, y }, name] of [[above, 'encoder'], [below, 'decoder']] as const) {
    // The layers of a decoder are of two modules: they are counted through.
    stage.trace.layers.forEach(({ index, reverse, cell }, k) =>
      label(y[k] + TILED.high / 2 - 2, `${name} ${name === 'encoder' ? index + 1 : k + 1}`, `${cell.split('_')[0]}${name === 'encoder' ? (reverse ? ' ←' : ' →') : ''}`));
  }
  const middle = (above.y.at(-1)! + TILED.high + below.y[0]) / 2;
  label(middle - 2, above.stage.pair!.target.trace.links ? 'looks' : 'one vector');
  return svg;
}

/** The step under the cursor, and what it is linked to. */
export function inWords(pair: Pair): string {
  const { leads, source, target } = pair;
  const { step } = leads.now;
  const text = (stage: Stage, k: number) => {
    const token = stage === source ? source.trace.inputs[k] : cameAfter(target.trace, k) ?? '';
    return named(stage.trace, token.trim() || token);
  };
  const other = leads === target ? source : target;
  const best = pair.lit.map((weight, k) => ({ weight, k })).sort((a, b) => b.weight - a.weight)[0];
  const first = leads === target ? `Step ${step + 1} of ${target.steps} answers ${text(target, step)}` : `Source ${step + 1} of ${source.steps} is ${text(source, step)}`;
  const shown = `The tiles: ${spelled(leads.now.quantity)}; the framed layer is ${nameOf(leads.layer)}, the framed unit ${leads.layer.units[leads.now.unit]}.`;
  if (!best) return `${first}. ${shown}`;
  const link = leads === target ? 'it looked most at' : 'looked at most by';
  return `${first}; ${link} ${text(other, best.k)} (${percent(best.weight)}%). ${shown}`;
}
