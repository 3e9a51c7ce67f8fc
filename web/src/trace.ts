// A trace: what a network did with one sequence. All views share one cursor: step, layer, quantity and unit.
import { line } from 'd3-shape';
import { atWidth, choice, h, s } from './dom';
import { fixed, number, percent, quoted, visible } from './format';
import { alikeTogether, colour, palette } from './heat';
import type { TraceLayer, TraceRecord } from './records';
import { equations } from './equations';

type Rows = number[][];
const GATES = new Set(['i', 'f', 'o', 'r', 'z', 'keep']);
const TALL = 380;

export function tracePage(trace: TraceRecord): HTMLElement {
  const steps = trace.inputs.length;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const orders = trace.layers.map((layer) =>
    alikeTogether(layer.states.h, { columns: layer.units.length, rows: 1, tile: 1, width: 1, height: 1 }));
  const now = { step: 0, layer: trace.layers.length - 1, quantity: 'h', unit: 0 };
  now.unit = liveliest(trace.layers[now.layer]);
  let redraw = (): void => undefined;
  let update = (): void => undefined;

  const layer = () => trace.layers[now.layer];
  const rows = (): Rows => quantityOf(layer(), now.quantity);

  const strip = h('div', { class: 'strip', role: 'listbox', tabindex: 0, 'aria-label': `What was read, in ${steps} steps. Arrow keys move.` });
  const tokens = trace.inputs.map((text, step) =>
    h('span', { role: 'option', click: () => go(step) }, visible(text)));
  strip.append(...tokens);
  const map = h('div', { class: 'map' });
  const curve = h('div', { class: 'curve' });
  const running = h('div', { class: 'curve' });
  const panel = h('div', { class: 'reading', 'aria-live': 'polite' });
  const quantities = h('span', {});
  const legend = h('p', { class: 'quiet' });

  const layers = h('select', { 'aria-label': 'Layer', change: () => {
    now.layer = Number(layers.value);
    now.unit = liveliest(layer());
    redraw();
  } }, ...trace.layers.map((one, k) => h('option', { value: k }, nameOf(one))));
  layers.value = String(now.layer);
  const unit = h('input', { type: 'number', min: 0, 'aria-label': 'Unit', input: () => {
    const place = layer().units.indexOf(Math.round(Number(unit.value)));
    if (place >= 0) {
      now.unit = place;
      redraw();
    }
  } });

  function go(step: number): void {
    now.step = Math.max(0, Math.min(steps - 1, step));
    update();
  }

  const root = h('div', { class: 'card trace-card', keydown: (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const to = { ArrowLeft: now.step - 1, ArrowRight: now.step + 1, Home: 0, End: steps - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  } },
  h('div', { class: 'controls' },
    h('span', { class: 'pick' }, 'Layer ', layers), quantities, h('span', { class: 'pick' }, 'unit ', unit)),
  h('h3', {}, 'What was read, in the colours of one unit'), strip, legend,
  h('h3', {}, 'All units over time'), map,
  ...(trace.layers.some((one) => Object.keys(one.gradients).length) ? [h('h3', {}, 'Gradient by the state of each step'), h('p', { class: 'quiet' }, `Of ${trace.loss}; logarithmic.`),
    ...(trace.layers.length > 1 ? [h('p', { class: 'keys' }, ...trace.layers.map((one, k) => h('span', { class: `key-${k % 4}` }, nameOf(one))))] : []), curve] : []),
  ...(trace.answers ? [h('h3', {}, 'The answer after each step'), running] : []),
  panel);

  redraw = () => {
    const names = quantitiesOf(layer());
    if (!names.includes(now.quantity)) now.quantity = 'h';
    quantities.replaceChildren(choice('What the colours show', names.map((value) => ({ value, text: spelled(value) })), now.quantity, (value) => {
      now.quantity = value;
      redraw();
    }));
    const colours = palette(dark.matches);
    const limit = limitOf(rows(), now.quantity);
    rows().forEach((row, step) => {
      const value = row[now.unit];
      tokens[step].style.background = colour(value, limit, colours);
      tokens[step].style.color = Math.abs(value) > 0.62 * limit ? 'var(--page)' : '';
    });
    unit.value = String(layer().units[now.unit]);
    const values = rows().map((row) => row[now.unit]);
    const high = values.indexOf(Math.max(...values));
    legend.textContent = GATES.has(now.quantity)
      ? `From 0 (pale) to 1 (orange). The gate is widest open at step ${high + 1}, after ${quoted(trace.inputs[high])}: ${fixed(values[high], 2)}.`
      : `Blue below zero, orange above; full colour from ±${number(limit, 2)} on. Highest at step ${high + 1}, after ${quoted(trace.inputs[high])}: ${fixed(values[high], 2)}.`;
    update();
    drawMap(colours, limit);
  };

  function drawMap(colours: string[], limit: number): void {
    const width = map.clientWidth;
    if (!width) return;
    const order = orders[now.layer];
    const canvas = h('canvas', { class: 'heat', role: 'img', 'aria-label': `${spelled(now.quantity)} of ${order.length} units over ${steps} steps` });
    const image = h('canvas', { width: steps, height: order.length });
    const context = image.getContext('2d')!;
    const pixels = context.createImageData(steps, order.length);
    const rgb = colours.map(channels);
    const half = (colours.length - 1) / 2;
    rows().forEach((row, step) => order.forEach((place, y) => {
      const k = Math.max(0, Math.min(2 * half, Math.round((row[place] / limit) * half) + half));
      pixels.data.set(rgb[k], 4 * (y * steps + step));
    }));
    context.putImageData(pixels, 0, 0);
    const high = Math.max(24, Math.min(TALL, order.length * 12));
    canvas.width = Math.round(width * window.devicePixelRatio);
    canvas.height = Math.round(high * window.devicePixelRatio);
    canvas.style.height = `${high}px`;
    const to = canvas.getContext('2d')!;
    to.imageSmoothingEnabled = false;
    to.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.addEventListener('click', (event) => {
      const box = canvas.getBoundingClientRect();
      now.unit = order[Math.min(order.length - 1, Math.floor(((event.clientY - box.top) / box.height) * order.length))];
      now.step = Math.min(steps - 1, Math.floor(((event.clientX - box.left) / box.width) * steps));
      redraw();
    });
    map.replaceChildren(canvas, h('div', { class: 'column-mark' }), h('div', { class: 'row-mark' }));
    place();
  }

  /** The cursor over the heat map. */
  function place(): void {
    const column = map.querySelector<HTMLElement>('.column-mark');
    const row = map.querySelector<HTMLElement>('.row-mark');
    if (!column || !row) return;
    column.style.left = `${(100 * now.step) / steps}%`;
    column.style.width = `${100 / steps}%`;
    row.style.top = `${(100 * orders[now.layer].indexOf(now.unit)) / orders[now.layer].length}%`;
    row.style.height = `${100 / orders[now.layer].length}%`;
  }

  update = () => {
    tokens.forEach((token, step) => {
      token.classList.toggle('here', step === now.step);
      token.setAttribute('aria-selected', String(step === now.step));
    });
    const mark = (100 * (now.step + 0.5)) / steps;
    root.querySelectorAll<HTMLElement>('.time-mark').forEach((one) => (one.style.left = `${mark}%`));
    place();
    panel.replaceChildren(...reading());
  };

  function reading(): Node[] {
    const { step } = now;
    const came = trace.inputs[step + 1];
    const said: Node[] = [h('b', {}, `Step ${step + 1} of ${steps}: `), document.createTextNode(`read ${quoted(trace.inputs[step])}. `)];
    if (trace.expected) {
      const best = trace.expected.choices[step].slice(0, 3).map((name, k) => `${quoted(name)} ${percent(trace.expected!.chances[step][k])}%`);
      said.push(document.createTextNode(`It expects ${best.join(', ')}. `));
    }
    const cost = trace.losses?.[step];
    if (came !== undefined && typeof cost === 'number') {
      said.push(document.createTextNode(`Then came ${quoted(came)}, which cost ${fixed(cost, 2)} nats. `));
    }
    if (trace.answers) {
      const row = trace.answers.chances[step];
      const best = row.map((p, k) => [p, trace.answers!.names[k]] as const).sort((a, b) => b[0] - a[0]).slice(0, 3);
      said.push(document.createTextNode(`The answer here: ${best.map(([p, name]) => `${name} ${percent(p)}%`).join(', ')}. `));
    }
    return [
      h('p', {}, ...said),
      h('p', { class: 'quiet' }, `Unit ${layer().units[now.unit]} of ${nameOf(layer())}:`),
      ...equations(layer(), step, now.unit).map((text) => h('p', { class: 'equation' }, text)),
    ];
  }

  dark.addEventListener('change', () => redraw());
  atWidth(map, () => redraw());
  atWidth(curve, (width) => {
    curve.replaceChildren(gradientCurve(trace, width), h('div', { class: 'time-mark' }));
    update();
  });
  atWidth(running, (width) => {
    running.replaceChildren(answerCurve(trace, width), h('div', { class: 'time-mark' }));
    update();
  });
  redraw();
  return root;
}

const nameOf = (layer: TraceLayer) => `${layer.name}, layer ${layer.index + 1}${layer.reverse ? ', backward' : ''} (${layer.cell})`;

function quantitiesOf(layer: TraceLayer): string[] {
  return [...Object.keys(layer.states), ...Object.keys(layer.gates), ...Object.keys(layer.gradients).map((name) => `d${name}`)];
}

function quantityOf(layer: TraceLayer, name: string): Rows {
  return layer.states[name] ?? layer.gates[name] ?? layer.gradients[name.slice(1)];
}

function spelled(name: string): string {
  if (name.startsWith('d')) return `gradient by ${name.slice(1)}`;
  return GATES.has(name) ? `gate ${name}` : name;
}

/** Full colour: a gate's 1, and for the rest the size that nearly all values stay below. */
function limitOf(rows: Rows, name: string): number {
  if (GATES.has(name)) return 1;
  const sizes = rows.flat().map(Math.abs).sort((a, b) => a - b);
  return sizes[Math.floor(0.98 * (sizes.length - 1))] || 1;
}

function liveliest(layer: TraceLayer): number {
  const { h: rows } = layer.states;
  const moved = layer.units.map((_, unit) => rows.reduce((sum, row, step) => sum + (step ? Math.abs(row[unit] - rows[step - 1][unit]) : 0), 0));
  return moved.indexOf(Math.max(...moved));
}

function channels(css: string): [number, number, number, number] {
  const found = css.match(/\d+(\.\d+)?/g)!.map(Number);
  return [found[0], found[1], found[2], 255];
}

function gradientCurve(trace: TraceRecord, width: number): SVGSVGElement {
  const high = 150;
  const norms = trace.layers.map((layer) => layer.norms.h ?? []);
  const logs = norms.map((values) => values.map((value) => (value > 0 ? Math.log10(value) : null)));
  const known = logs.flat().filter((value): value is number => value !== null);
  const [low, top] = [Math.floor(Math.min(...known, 0)), Math.ceil(Math.max(...known, 0.1))];
  const y = (value: number) => 8 + ((top - value) / Math.max(1, top - low)) * (high - 16);
  const x = (step: number) => (width * (step + 0.5)) / trace.inputs.length;
  const svg = s('svg', { width, height: high, role: 'img', 'aria-label': gradientInWords(trace, norms) });
  for (let power = top; power > low; power -= Math.max(1, Math.ceil((top - low) / 5))) {
    svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: y(power), y2: y(power) }),
      s('text', { class: 'tick', x: 4, y: y(power) + 12 }, String(10 ** power)));
  }
  const draw = line<number | null>().defined((value) => value !== null).x((_, step) => x(step)).y((value) => y(value ?? 0));
  logs.forEach((values, k) => svg.append(s('path', { class: `series series-${k % 4}`, d: draw(values) ?? '' })));
  return svg;
}

function gradientInWords(trace: TraceRecord, norms: number[][]): string {
  return norms.map((values, k) => {
    const some = values.filter((value) => value > 0);
    return `${nameOf(trace.layers[k])}: from ${number(Math.min(...some))} to ${number(Math.max(...some))}`;
  }).join('; ');
}

function answerCurve(trace: TraceRecord, width: number): SVGSVGElement {
  const high = 130;
  const { names, chances } = trace.answers!;
  const x = (step: number) => (width * (step + 0.5)) / trace.inputs.length;
  const y = (p: number) => 8 + (1 - p) * (high - 16);
  const most = names.map((_, k) => Math.max(...chances.map((row) => row[k])));
  const shown = names.map((_, k) => k).sort((a, b) => most[b] - most[a]).slice(0, 4);
  const svg = s('svg', { width, height: high, role: 'img', 'aria-label': `The answer ends at ${names[chances.at(-1)!.indexOf(Math.max(...chances.at(-1)!))]}` });
  for (const p of [0, 0.5, 1]) {
    svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: y(p), y2: y(p) }), s('text', { class: 'tick', x: 4, y: p ? y(p) + 12 : y(p) - 3 }, `${100 * p}%`));
  }
  const leads = shown.reduce((best, label) => (chances.at(-1)![label] > chances.at(-1)![best] ? label : best), shown[0]);
  shown.forEach((label, k) => {
    const values = chances.map((row) => row[label]);
    svg.append(s('path', { class: `series series-${k}`, d: line<number>().x((_, step) => x(step)).y(y)(values) ?? '' }),
      s('text', { class: `tick name-${k}`, x: x(values.length - 1) - 6, y: y(values.at(-1)!) + (label === leads ? -5 : 14), 'text-anchor': 'end' }, names[label]));
  });
  return svg;
}
