// All units of a layer over time: one row a unit, one column a step, on a canvas.
import { atWidth, h } from '../shared/dom';
import { fixed, number, sized } from '../shared/format';
import type { Rows } from '../shared/records';
import { GATES, nameOf, spelled, type Stage, type View } from './stage';

const TALL = 380;

export function mapView(stage: Stage): View {
  const { steps, now } = stage;
  const map = h('div', { class: 'map' });
  const frame = h('div', { class: 'map-frame' });
  const words = h('p', { class: 'quiet' });
  const key = h('p', { class: 'map-key' });
  const tip = h('div', { class: 'tip', hidden: true, role: 'status' });
  const orders = h('select', { 'aria-label': 'Order of the units', change: () => {
    now.order = orders.value;
    // Who asks for what follows brackets wants to see the unit that does so best.
    stage.choose(now.order === 'alike' ? {} : { unit: stage.order[0] });
  } },
  h('option', { value: 'alike' }, 'like units together'),
  h('option', { value: 'memory' }, 'those first that hold longest'),
  ...Object.keys(stage.trace.properties).map((name) => h('option', { value: name }, `those first that follow: ${name}`)));
  const element = h('section', {}, h('h3', {}, 'All units over time'),
    h('div', { class: 'controls' }, h('span', { class: 'pick' }, 'Order ', orders)), key, map, words);
  const mark = (name: string) => h('div', { class: name });
  let width = 0;
  const [column, row] = [mark('column-mark'), mark('row-mark')];

  function draw(): void {
    if (!width) return;
    const { order, rows, colours, limit } = stage;
    const canvas = h('canvas', { class: 'heat', role: 'img', 'aria-label': `${spelled(now.quantity)} of ${order.length} units over ${steps} steps` });
    const high = Math.max(24, Math.min(TALL, order.length * 12));
    canvas.width = Math.round(width * window.devicePixelRatio);
    canvas.height = Math.round(high * window.devicePixelRatio);
    canvas.style.height = `${high}px`;
    const to = canvas.getContext('2d')!;
    to.imageSmoothingEnabled = false;
    to.drawImage(pixelsOf(rows, order, colours, limit), 0, 0, canvas.width, canvas.height);
    canvas.addEventListener('click', (event) => {
      const box = canvas.getBoundingClientRect();
      const unit = order[Math.min(order.length - 1, Math.floor(((event.clientY - box.top) / box.height) * order.length))];
      stage.choose({ unit, step: Math.min(steps - 1, Math.floor(((event.clientX - box.left) / box.width) * steps)) });
    });
    canvas.addEventListener('pointermove', (event) => point(event, canvas));
    canvas.addEventListener('pointerleave', () => (tip.hidden = true));
    frame.replaceChildren(canvas, column, row, tip);
    map.replaceChildren(frame, ticksOf(steps, width));
    key.replaceChildren(...keyOf(stage));
    words.textContent = inWords(stage);
  }

  /** Says what stands under the pointer. */
  function point(event: PointerEvent, canvas: HTMLElement): void {
    const box = canvas.getBoundingClientRect();
    const step = Math.min(steps - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * steps)));
    const unit = stage.order[Math.min(stage.order.length - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * stage.order.length)))];
    tip.textContent = `unit ${stage.layer.units[unit]}, step ${step + 1}: ${sized(stage.rows[step][unit], 3)}`;
    tip.hidden = false;
    const right = event.clientX - box.left > box.width / 2;
    tip.style.left = right ? '' : `${event.clientX - box.left + 14}px`;
    tip.style.right = right ? `${box.right - event.clientX + 14}px` : '';
  }

  function place(): void {
    const { order } = stage;
    column.style.left = `${(100 * now.step) / steps}%`;
    column.style.width = `${100 / steps}%`;
    row.style.top = `${(100 * order.indexOf(now.unit)) / order.length}%`;
    row.style.height = `${100 / order.length}%`;
  }

  atWidth(map, (now) => {
    width = now;
    draw();
  });
  return { element, redraw: draw, update: place };
}

function inWords(stage: Stage): string {
  const { now, layer, rows } = stage;
  const axes = 'A row is a unit, a column a step.';
  if (now.order === 'alike') return `${axes} Units that behave alike lie side by side.`;
  const [best] = stage.ranked;
  const name = `unit ${layer.units[best.unit]}`;
  if (now.order === 'memory') {
    const held = Number.isFinite(best.score) ? `${number(best.score, 2)} steps` : 'longer than was followed';
    return `${axes} On top stands what holds longest: ${name}, ${held}.`;
  }
  return `${axes} On top stands what follows “${now.order}” best: ${name}, correlation ${fixed(best.score, 2)} over these ${rows.length} steps.`;
}

/** What the colours stand for. */
function keyOf(stage: Stage): Node[] {
  const { now, layer, colours, limit } = stage;
  const gate = GATES.has(now.quantity);
  const shown = gate ? colours.slice((colours.length - 1) / 2) : colours;
  const stops = shown.filter((_, k) => k % 8 === 0).join(', ');
  return [h('b', {}, `${spelled(now.quantity)} of ${nameOf(layer)}`), h('span', {}, gate ? '0' : `−${sized(limit)}`),
    h('i', { style: `background: linear-gradient(to right, ${stops})` }), h('span', {}, gate ? '1' : sized(limit))];
}

/** Some numbers of steps, below their columns. */
function ticksOf(steps: number, width: number): HTMLElement {
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((one) => (steps / one) * 44 < width) ?? steps;
  const shown = Array.from({ length: Math.floor(steps / every) }, (_, k) => (k + 1) * every);
  return h('div', { class: 'ticks', 'aria-hidden': 'true' },
    ...shown.map((step) => h('span', { style: `left: ${(100 * (step - 0.5)) / steps}%` }, String(step))));
}

/** One pixel for each step and unit. */
export function pixelsOf(rows: Rows, order: number[], colours: string[], limit: number): HTMLCanvasElement {
  const image = h('canvas', { width: rows.length, height: order.length });
  const context = image.getContext('2d')!;
  const pixels = context.createImageData(rows.length, order.length);
  const rgb = colours.map(channels);
  const half = (colours.length - 1) / 2;
  rows.forEach((row, step) => order.forEach((place, y) => {
    const k = Math.max(0, Math.min(2 * half, Math.round((row[place] / limit) * half) + half));
    pixels.data.set(rgb[k], 4 * (y * rows.length + step));
  }));
  context.putImageData(pixels, 0, 0);
  return image;
}

function channels(css: string): [number, number, number, number] {
  const found = css.match(/\d+(\.\d+)?/g)!.map(Number);
  return [found[0], found[1], found[2], 255];
}
