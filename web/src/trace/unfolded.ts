// The network unfolded over time: a column for each symbol read, a box for each layer, the state carried from left to right.
import { line } from 'd3-shape';
import { choice, h, s, uid } from '../shared/dom';
import { fixed, number, percent, quoted, spoken, visible } from '../shared/format';
import { alikeTogether, colour, gridOf, heatMap, palette, type Grid } from '../shared/heat';
import type { Rows, TraceRecord } from '../shared/records';
import type { Stage, View } from './stage';

type Shown = 'hidden' | 'memory';
const BARS = 5;
const ROW = 17;
const GAP = 28;
const SPACE = 34;

interface Here {
  step: number;
  layer: number;
  unit: number;
}

interface Layer {
  /** Its place in the trace. */
  at: number;
  cell: string;
  /** The numbers of the units. */
  units: number[];
  hidden: number[][];
  memory: number[][] | null;
}

/** A trace as columns: the layers of its first network that read forward, and what each symbol cost in bits. */
interface Chain {
  text: string[];
  layers: Layer[];
  next: [symbol: string, probability: number][][];
  surprise: (number | null)[];
}

const plain = (rows: Rows | undefined) => rows?.map((row) => Array.from(row)) ?? null;

function chainOf({ inputs, layers, expected, losses }: TraceRecord): Chain {
  const shown = layers.map((layer, at) => ({ layer, at })).filter(({ layer }) => layer.name === layers[0].name && !layer.reverse);
  return {
    text: inputs,
    layers: shown.map(({ layer: { cell, units, states }, at }) =>
      ({ at, cell, units, hidden: plain(states.h)!, memory: plain(states.c ?? states.s1) })),
    next: inputs.map((_, step) => expected?.choices[step].map((name, k) => [name, expected.chances[step][k]]) ?? []),
    surprise: inputs.map((_, step) => (step && Number.isFinite(losses?.[step - 1]) ? losses![step - 1] / Math.LN2 : null)),
  };
}

/** Null where all layers read backward. */
export function unfoldedView(stage: Stage): View | null {
  const trace = chainOf(stage.trace);
  if (!trace.layers.length) return null;
  const steps = trace.text.length;
  const depth = trace.layers.length;
  let view: Shown = 'hidden';
  stage.now.step = turningPoint(trace);
  let pinned: Here = { step: stage.now.step, ...liveliest(trace) };
  let dark = stage.dark.matches;
  let sorted = true;
  let hover: Partial<Here> | null = null;

  const states = (layer: number) => (view === 'memory' && trace.layers[layer].memory) || trace.layers[layer].hidden;
  // Where each unit is drawn: order[layer][place] is the unit, places[layer][unit] its place.
  const alike = trace.layers.map((layer) => alikeTogether(layer.hidden, gridOf(layer.hidden[0]?.length ?? 1)));
  const order = (layer: number): number[] =>
    sorted && alike[layer].length === states(layer)[0].length ? alike[layer] : states(layer)[0].map((_, k) => k);
  const grids = () => trace.layers.map((_, layer) => gridOf(states(layer)[0]?.length ?? 1));
  const here = (): Here => ({ ...pinned, ...hover });

  const scroller = h('div', { class: 'scroll unfolded-scroll' });
  const gutter = h('div', { class: 'gutter', 'aria-hidden': 'true' });
  const panel = h('div', { class: 'unfolded-reading' });
  const legendBox = h('div', { class: 'heat-legend' });
  const picks = followControl();
  const controls = h('div', { class: 'controls' });
  if (trace.layers.some((layer) => layer.memory)) {
    controls.append(
      choice('What the colours show', [{ value: 'hidden', text: 'hidden state h' }, { value: 'memory', text: 'memory c' }], view, (value) => {
        view = value as Shown;
        stage.choose({ quantity: view === 'memory' ? 'c' : 'h' });
        draw();
      }),
    );
  }
  controls.append(
    choice('Order of the units', [{ value: 'alike', text: 'like units together' }, { value: 'stored', text: 'as stored' }], 'alike', (value) => {
      sorted = value === 'alike';
      draw();
    }),
    legendBox,
    picks.root,
  );

  let update = (): void => undefined;

  function draw(): void {
    const [colours, limits] = [palette(dark), trace.layers.map((_, layer) => limitOf(states(layer)))];
    const shapes = grids();
    const limit = Math.max(...limits);
    const place = layout(shapes);
    const { pitch, height, width } = place;
    const svg = s('svg', { class: 'unfolded', width, height, viewBox: `0 0 ${width} ${height}`, role: 'group',
      'aria-label': `The network unfolded over ${steps} symbols. Left and right arrow keys move from step to step.` });
    svg.append(arrowHeads());
    const cursor = s('rect', { class: 'cursor', y: 1, width: pitch - 6, height: height - 2, rx: 8 });
    svg.append(cursor);

    const columns: SVGGElement[] = [];
    for (let step = 0; step < steps; step += 1) {
      const column = s('g', { class: 'column', role: 'img', 'aria-label': stepInWords(trace, step), tabindex: -1, 'data-step': step });
      drawColumn(column, step, shapes, place, colours, limit);
      column.addEventListener('focus', () => set({ step }));
      columns.push(column);
      svg.append(column);
    }
    const rings = trace.layers.map(() => s('g', { class: 'rings', 'aria-hidden': 'true' }));
    svg.append(...rings);
    const thread = s('g', { class: 'thread', 'aria-hidden': 'true' });
    svg.append(thread);

    svg.addEventListener('pointermove', (event) => event.pointerType === 'mouse' && lookAt(event, false));
    svg.addEventListener('pointerleave', () => {
      hover = null;
      update();
    });
    svg.addEventListener('click', (event) => lookAt(event, true));
    svg.addEventListener('keydown', (event) => {
      const to = { ArrowLeft: pinned.step - 1, ArrowRight: pinned.step + 1, Home: 0, End: steps - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      columns[Math.max(0, Math.min(steps - 1, to))].focus();
    });

    function lookAt(event: MouseEvent, pin: boolean): void {
      const box = svg.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      const step = Math.max(0, Math.min(steps - 1, Math.floor((px - place.left) / pitch)));
      const found: Partial<Here> = { step };
      shapes.forEach((grid, layer) => {
        const column = Math.floor((px - place.x(step, grid)) / grid.tile);
        const row = Math.floor((py - place.layerY[layer]) / grid.tile);
        const unit = order(layer)[row * grid.columns + column];
        if (column >= 0 && column < grid.columns && row >= 0 && row < grid.rows && unit !== undefined) {
          Object.assign(found, { layer, unit });
        }
      });
      if (pin) set(found);
      else {
        hover = found;
        update();
      }
    }

    update = () => {
      const now = here();
      cursor.setAttribute('x', String(place.left + now.step * pitch + 3));
      columns.forEach((column, step) => {
        column.classList.toggle('here', step === now.step);
        column.setAttribute('tabindex', step === pinned.step ? '0' : '-1');
      });
      const grid = shapes[now.layer];
      const spot = order(now.layer).indexOf(now.unit);
      rings.forEach((group) => group.replaceChildren());
      for (let step = 0; step < steps; step += 1) {
        rings[now.layer].append(s('rect', {
          x: place.x(step, grid) + (spot % grid.columns) * grid.tile - 1,
          y: place.layerY[now.layer] + Math.floor(spot / grid.columns) * grid.tile - 1,
          width: grid.tile + 1.5, height: grid.tile + 1.5, rx: 1,
        }));
      }
      drawThread(thread, now, place, limit, colours);
      panel.replaceChildren(...reading(now));
      picks.show(now);
    };

    const at = scroller.scrollLeft;
    scroller.replaceChildren(svg);
    scroller.scrollLeft = at;
    gutter.replaceChildren(labels(place, shapes));
    legendBox.replaceChildren(heatLegend(limit, colours, view));
    update();
  }

  function set(found: Partial<Here>): void {
    const { layer, unit } = pinned;
    pinned = { ...pinned, ...found };
    pinned.unit = Math.min(pinned.unit, states(pinned.layer)[0].length - 1);
    hover = null;
    if (pinned.layer === layer && pinned.unit === unit) stage.go(pinned.step);
    else stage.choose({ step: pinned.step, layer: trace.layers[pinned.layer].at, unit: pinned.unit });
  }

  /** What was chosen in another view; a layer that is not shown here leaves the unit as it is. */
  function follow(): void {
    pinned.step = stage.now.step;
    const layer = trace.layers.findIndex(({ at }) => at === stage.now.layer);
    if (layer >= 0) pinned = { ...pinned, layer, unit: stage.now.unit };
  }

  interface Layout {
    pitch: number;
    left: number;
    width: number;
    height: number;
    layerY: number[];
    inputY: number;
    costY: number;
    threadY: number;
    x(step: number, grid: Grid): number;
    middle(step: number): number;
  }

  function layout(shapes: Grid[]): Layout {
    const wide = Math.max(...shapes.map((grid) => grid.width), 84);
    const pitch = wide + SPACE;
    const left = 14;
    let y = 10 + (BARS + 1) * ROW + GAP;
    const layerY: number[] = new Array<number>(depth);
    for (let layer = depth - 1; layer >= 0; layer -= 1) {
      layerY[layer] = y;
      y += shapes[layer].height + GAP;
    }
    const inputY = y;
    const middle = (step: number) => left + step * pitch + pitch / 2;
    return {
      pitch, left, layerY, inputY, costY: inputY + 46, threadY: inputY + 84, height: inputY + 84 + 70,
      width: 2 * left + steps * pitch,
      middle,
      x: (step, grid) => middle(step) - grid.width / 2,
    };
  }

  function drawColumn(column: SVGGElement, step: number, shapes: Grid[], place: Layout, colours: string[], limit: number): void {
    const middle = place.middle(step);
    drawGuesses(column, step, place);
    const up = (from: number, to: number) =>
      column.append(s('line', { class: 'arrow', x1: middle, x2: middle, y1: from, y2: to, 'marker-end': 'url(#head)' }));
    shapes.forEach((grid, layer) => {
      const [x, y] = [place.x(step, grid), place.layerY[layer]];
      const mid = y + grid.height / 2;
      const before = step === 0 ? x - 20 : place.x(step - 1, grid) + grid.width + 4;
      column.append(
        s('line', { class: 'arrow carry', x1: before, x2: x - 6, y1: mid, y2: mid, 'marker-end': 'url(#head-carry)' }),
        s('rect', { class: 'box', x: x - 3, y: y - 3, width: grid.width + 5.5, height: grid.height + 5.5, rx: 4 }),
        s('image', { href: heatMap(order(layer).map((unit) => states(layer)[step][unit]), grid, limit, colours), x, y, width: grid.width, height: grid.height }),
      );
      const below = layer === 0 ? place.inputY : place.layerY[layer - 1];
      up(below - 5, y + grid.height + 8);
      if (layer === depth - 1) up(y - 6, y - GAP + 10);
    });
    const symbol = trace.text[step];
    column.append(
      s('rect', { class: 'input', x: middle - 19, y: place.inputY, width: 38, height: 38, rx: 7 }),
      s('text', { class: 'input-text', x: middle, y: place.inputY + 20, dy: '0.34em', 'text-anchor': 'middle' }, visible(symbol)),
    );
    const bits = trace.surprise[step];
    if (bits !== null) {
      const length = Math.min(1, bits / 8) * 56;
      column.append(
        s('rect', { class: 'cost-track', x: middle - 28, y: place.costY, width: 56, height: 5, rx: 2.5 }),
        s('rect', { class: 'cost', x: middle - 28, y: place.costY, width: Math.max(2, length), height: 5, rx: 2.5 }),
        s('text', { class: 'cost-text', x: middle, y: place.costY + 19, 'text-anchor': 'middle' }, `${fixed(bits, 1)} bits`),
      );
    }
  }

  function drawGuesses(column: SVGGElement, step: number, place: Layout): void {
    const came = trace.text[step + 1];
    const bits = trace.surprise[step + 1];
    const rows = trace.next[step].slice(0, BARS).map(([symbol, p]) => ({ symbol, p, came: symbol === came }));
    if (came !== undefined && bits !== null && bits !== undefined && !rows.some((row) => row.came)) {
      rows.push({ symbol: came, p: 2 ** -bits, came: true });
    }
    const left = place.middle(step) - 52;
    rows.forEach((row, k) => {
      const y = 10 + k * ROW;
      const kind = row.came ? 'guess came' : 'guess';
      column.append(
        s('rect', { class: `${kind} bar`, x: left + 18, y: y + 2, width: Math.max(1.5, row.p * 46), height: ROW - 5, rx: 2 }),
        s('text', { class: `${kind} symbol`, x: left + 8, y: y + ROW / 2, dy: '0.3em', 'text-anchor': 'middle' }, visible(row.symbol)),
        s('text', { class: `${kind} share`, x: left + 104, y: y + ROW / 2, dy: '0.3em', 'text-anchor': 'end' },
          `${percent(row.p)}${row.came ? ' ✓' : ''}`),
      );
    });
  }

  function drawThread(group: SVGGElement, now: Here, place: Layout, limit: number, colours: string[]): void {
    const values = states(now.layer).map((row) => row[now.unit] ?? 0);
    const middle = place.threadY + 34;
    const y = (value: number) => middle - (Math.max(-limit, Math.min(limit, value)) / limit) * 26;
    group.replaceChildren(
      s('line', { class: 'zero', x1: place.left, x2: place.width - place.left, y1: middle, y2: middle }),
      s('path', { class: 'thread-line', d: line<number>().x((_, step) => place.middle(step)).y(y)(values) }),
      ...values.map((value, step) =>
        s('circle', { class: step === now.step ? 'here' : '', cx: place.middle(step), cy: y(value), r: step === now.step ? 6 : 4.5,
          style: `fill:${colour(value, limit, colours)}` })),
      s('text', { x: place.middle(now.step) + 11, y: y(values[now.step]), dy: '0.34em' }, fixed(values[now.step], 2)),
    );
  }

  function labels(place: Layout, shapes: Grid[]): SVGSVGElement {
    const svg = s('svg', { width: 64, height: place.height, viewBox: `0 0 64 ${place.height}` });
    const label = (y: number, name: string, more: string) =>
      svg.append(s('text', { x: 0, y, class: 'name' }, name), s('text', { x: 0, y: y + 15 }, more));
    label(10 + 2.4 * ROW, 'expects', 'next, in %');
    shapes.forEach((grid, layer) => label(place.layerY[layer] + grid.height / 2, `layer ${layer + 1}`,
      `${trace.layers[layer].cell}, ${states(layer)[0]?.length ?? 0}`));
    label(place.inputY + 16, 'reads', 'at a cost');
    label(place.threadY + 30, 'one unit', 'over time');
    return svg;
  }

  function followControl(): { root: HTMLElement; show(now: Here): void } {
    const layer = h('select', { 'aria-label': 'Layer of the unit to follow', change: () => set({ layer: Number(layer.value) }) },
      ...trace.layers.map((_, k) => h('option', { value: k }, `layer ${k + 1}`)));
    const unit = h('input', { type: 'number', min: 0, 'aria-label': 'Unit to follow', input: () => {
      const to = trace.layers[pinned.layer].units.indexOf(Math.round(Number(unit.value)));
      if (to >= 0 && unit.value) set({ unit: to });
    } });
    return {
      root: h('span', { class: 'pick' }, 'Follow unit ', unit, ' of ', layer),
      show(now) {
        layer.value = String(now.layer);
        const { units } = trace.layers[now.layer];
        if (!unit.matches(':focus')) unit.value = String(units[now.unit]);
        unit.max = String(units.at(-1));
      },
    };
  }

  function reading(now: Here): Node[] {
    const best = trace.next[now.step].slice(0, 3).map(([symbol, p]) => `${quoted(symbol)} ${percent(p)}%`);
    const came = trace.text[now.step + 1];
    const bits = trace.surprise[now.step + 1];
    const sentences: Node[] = [
      h('p', {}, h('b', {}, `Step ${now.step + 1} of ${steps}. `),
        best.length ? `After ${quoted(trace.text[now.step])} it expects ${best.join(', ')}. ` : `Read ${quoted(trace.text[now.step])}. `,
        came === undefined ? 'The text ends here.'
          : h('span', {}, 'Then came ', h('b', {}, quoted(came)), bits === null || bits === undefined ? '.' : `, which cost ${fixed(bits, 1)} bits.`)),
    ];
    const row = states(now.layer)[now.step];
    const before = now.step > 0 ? states(now.layer)[now.step - 1] : null;
    const mean = (values: number[]) => values.reduce((a, b) => a + Math.abs(b), 0) / Math.max(1, values.length);
    const facts = [
      `unit ${trace.layers[now.layer].units[now.unit]} holds ${fixed(row[now.unit], 3)}`,
      `mean size of layer ${now.layer + 1}: ${fixed(mean(row.map((v) => v ?? 0)), 2)}`,
    ];
    if (before) facts.push(`mean change from the step before: ${fixed(mean(row.map((v, k) => (v ?? 0) - (before[k] ?? 0))), 2)}`);
    sentences.push(h('p', { class: 'quiet' }, `${view === 'hidden' ? 'Hidden state' : 'Memory'}: ${facts.join('; ')}.`));
    return sentences;
  }

  draw();
  // Once it has a width: show the step that the words below speak of.
  requestAnimationFrame(() => {
    const column = scroller.querySelector<SVGGElement>('.column.here');
    if (!column) return;
    const box = column.getBoundingClientRect();
    scroller.scrollLeft = box.left + box.width / 2 - scroller.getBoundingClientRect().left - scroller.clientWidth / 2;
  });
  const bits = trace.surprise.filter((value): value is number => value !== null);
  const mean = bits.length ? bits.reduce((a, b) => a + b, 0) / bits.length : null;
  const element = h(
    'section',
    { class: 'unfolded-card' },
    h('h3', {}, 'Every step, side by side'),
    h('p', { class: 'story' },
      'Read it from left to right. Each column is one step in time: the character read at the bottom, the state of each layer as a heat map, ',
      'and on top what the network expects next. The arrows to the right are the only memory that it has. ',
      h('span', { class: 'came-key' }, '✓ marks'), ' the character that really came',
      mean === null ? '.' : `; on average it cost ${number(mean, 2)} bits here.`),
    controls,
    h('div', { class: 'unfolded-frame' }, gutter, scroller),
    panel,
    h('details', {}, h('summary', {}, 'The same as a table'), h('div', { class: 'scroll' }, traceTable(trace))),
  );
  return {
    element,
    redraw() {
      if (dark === stage.dark.matches) return;
      dark = stage.dark.matches;
      draw();
    },
    update() {
      follow();
      update();
    },
  };
}

/** The step before the greatest surprise: the place where there is most to see. */
function turningPoint(trace: Chain): number {
  let [step, most] = [Math.max(0, trace.text.length - 2), -1];
  trace.surprise.forEach((bits, k) => {
    if (k > 0 && bits !== null && bits > most) [step, most] = [k - 1, bits];
  });
  return step;
}

/** The unit of the top layer that moves most: something to see before anything is touched. */
function liveliest(trace: Chain): { layer: number; unit: number } {
  const layer = trace.layers.length - 1;
  const rows = trace.layers[layer]?.hidden ?? [];
  let [unit, most] = [0, -1];
  for (let k = 0; k < (rows[0]?.length ?? 0); k += 1) {
    let change = 0;
    for (let step = 1; step < rows.length; step += 1) change += Math.abs((rows[step][k] ?? 0) - (rows[step - 1][k] ?? 0));
    if (change > most) [unit, most] = [k, change];
  }
  return { layer, unit };
}

/** Full colour at the size that nearly all values stay below: a few large ones must not make the rest pale. */
function limitOf(rows: (number | null)[][]): number {
  const sizes = rows.flat().map((value) => Math.abs(value ?? 0)).sort((a, b) => a - b);
  const high = sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 1;
  return high > 0 ? Math.ceil(high * 10) / 10 : 1;
}

function stepInWords(trace: Chain, step: number): string {
  const best = trace.next[step].slice(0, 3).map(([symbol, p]) => `${spoken(symbol)} ${percent(p)} percent`);
  const came = trace.text[step + 1];
  return `Step ${step + 1}: read ${spoken(trace.text[step])}; expects ${best.join(', ')}${came === undefined ? '' : `; then came ${spoken(came)}`}.`;
}

function arrowHeads(): SVGDefsElement {
  const head = (id: string) =>
    s('marker', { id, viewBox: '0 0 8 8', refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: 'userSpaceOnUse', orient: 'auto' },
      s('path', { d: 'M0,0.5 L7,4 L0,7.5 z' }));
  return s('defs', {}, head('head'), head('head-carry'));
}

function heatLegend(limit: number, colours: string[], view: Shown): HTMLElement {
  const id = uid('ramp');
  const stops = [0, 0.25, 0.5, 0.75, 1].map((at) =>
    s('stop', { offset: at, 'stop-color': colours[Math.round(at * (colours.length - 1))] }));
  return h('span', { class: 'ramp', role: 'img', 'aria-label': `Colours of the ${view} state: blue is −${limit}, orange is +${limit}` },
    h('span', {}, `−${number(limit)}`),
    s('svg', { width: 120, height: 12 }, s('defs', {}, s('linearGradient', { id }, ...stops)),
      s('rect', { width: 120, height: 12, rx: 3, fill: `url(#${id})` })),
    h('span', {}, `+${number(limit)}`));
}

function traceTable(trace: Chain): HTMLTableElement {
  return h('table', { class: 'numbers' },
    h('caption', {}, 'What was read at each step, what it cost, and what was expected next.'),
    h('thead', {}, h('tr', {}, ...['step', 'read', 'cost in bits', 'expected next (%)'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, ...trace.text.map((symbol, step) =>
      h('tr', {}, h('th', { scope: 'row' }, step + 1), h('td', {}, visible(symbol)), h('td', {}, fixed(trace.surprise[step], 2)),
        h('td', {}, trace.next[step].map(([next, p]) => `${visible(next)} ${percent(p)}`).join('  ·  '))))));
}
