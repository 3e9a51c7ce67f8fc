// What the network remembers: how far each input moves the output under the cursor, and how long each unit holds.
import { scaleLog } from 'd3-scale';
import { atWidth, h, s } from '../shared/dom';
import { listed, number, quoted } from '../shared/format';
import type { Influence } from '../shared/records';
import { nameOf, type Stage, type View } from './stage';

const HIGH = 110;

/** Size and product of each input on the output of a step; as `Influence.at` in src/unrolled/lens/traces.py. */
export function influenceAt({ size, product, ahead }: Influence, step: number, steps: number): [Float32Array, Float32Array] {
  if (size.length === 1 && size[0].length === steps) return [size[0], product[0]];
  const found: [Float32Array, Float32Array] = [new Float32Array(steps), new Float32Array(steps)];
  for (let column = 0; column < size[step].length; column += 1) {
    const input = step + ahead - column;
    if (input < 0 || input >= steps) continue;
    found[0][input] = size[step][column];
    found[1][input] = product[step][column];
  }
  return found;
}

/** Null for a trace without it. */
export function influenceView(stage: Stage): View | null {
  const { trace, now, steps } = stage;
  const { influence } = trace;
  if (!influence) return null;
  const frame = h('div', { class: 'curve influence' });
  const words = h('p', { class: 'quiet' });
  let width = 0;
  frame.addEventListener('click', (event) => {
    const box = frame.getBoundingClientRect();
    stage.go(Math.floor(((event.clientX - box.left) / box.width) * steps));
  });
  const draw = () => {
    if (!width) return;
    const [size, product] = influenceAt(influence, now.step, steps);
    words.textContent = inWords(trace.inputs, size, now.step);
    frame.replaceChildren(bars(size, product, width, now.step), h('div', { class: 'time-mark', style: `left:${(100 * (now.step + 0.5)) / steps}%` }));
  };
  atWidth(frame, (now) => {
    width = now;
    draw();
  });
  return {
    element: h('section', {}, h('h3', {}, 'What it remembers: the inputs that move this step’s output'),
      h('p', { class: 'quiet' }, `How far each input moves ${influence.of}, at the step under the cursor: the length of the gradient. Orange raises it, blue lowers it (gradient times input).`),
      frame, words),
    redraw: draw, update: draw,
  };
}

function bars(size: Float32Array, product: Float32Array, width: number, step: number): SVGSVGElement {
  const steps = size.length;
  const most = Math.max(...size.filter(Number.isFinite), 1e-30);
  const wide = width / steps;
  const svg = s('svg', { width, height: HIGH, role: 'img', 'aria-label': `The influence of ${steps} inputs on the output of step ${step + 1}` });
  svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: HIGH - 1, y2: HIGH - 1 }));
  size.forEach((value, input) => {
    if (!(value > 0)) return;
    const high = Math.max(1, (value / most) * (HIGH - 12));
    svg.append(s('rect', {
      class: product[input] < 0 ? 'lowers' : 'raises', x: input * wide + Math.min(1, wide / 8), width: Math.max(0.8, wide - Math.min(2, wide / 4)),
      y: HIGH - 1 - high, height: high,
    }));
  });
  return svg;
}

/** Which inputs count most, and how far back half of the influence lies. */
export function inWords(inputs: string[], size: Float32Array, step: number): string {
  const total = size.reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return `At step ${step + 1} no input moves it.`;
  const ranked = Array.from(size, (value, input) => ({ value, input })).sort((a, b) => b.value - a.value).slice(0, 3);
  const best = ranked.filter(({ value }) => value > 0.02 * total)
    .map(({ value, input }) => `${quoted(inputs[input])} at step ${input + 1} (${Math.round((100 * value) / total)}%)`);
  let [near, reach] = [0, 0];
  const apart = Array.from(size, (value, input) => ({ value, back: Math.abs(step - input) })).sort((a, b) => a.back - b.back);
  for (const { value, back } of apart) {
    near += value;
    reach = back;
    if (near >= total / 2) break;
  }
  const within = reach === 0 ? 'at this very step' : `within ${reach} ${reach === 1 ? 'step' : 'steps'}`;
  return `At step ${step + 1} most comes from ${listed(best)}; half of all lies ${within}.`;
}

const BOX = { wide: 420, high: 240, left: 46, bottom: 34, top: 10 };

/** Null where no layer has half-lives. */
export function halfLifeView(stage: Stage): View | null {
  if (!stage.trace.layers.some((layer) => layer.half_lives.measured ?? layer.half_lives.gates)) return null;
  const frame = h('div', { class: 'half-lives' });
  const words = h('p', { class: 'quiet' });
  let width = 0;
  const draw = () => {
    if (!width) return;
    frame.replaceChildren(plot(stage, Math.min(width, BOX.wide)));
    words.textContent = livesInWords(stage);
  };
  atWidth(frame, (now) => {
    width = now;
    draw();
  });
  return {
    element: h('section', {}, h('h3', {}, 'How long each unit holds'), words, frame),
    redraw: draw, update: () => undefined,
  };
}

function plot(stage: Stage, width: number): SVGSVGElement {
  const { layer, now } = stage;
  const { gates, measured } = layer.half_lives;
  const up = measured ?? gates;
  const known = [...(gates ?? []), ...up].filter((value) => Number.isFinite(value) && value > 0);
  const range = [Math.max(0.1, Math.min(...known, 1)), Math.max(...known, 10) * 1.6];
  const lives = (from: number, to: number) => {
    const scale = scaleLog().domain(range).range([from, to]).clamp(true);
    return (value: number) => scale(Number.isFinite(value) ? value : range[1]);
  };
  const [right, floor] = [width - 8, BOX.high - BOX.bottom];
  const [x, y] = [lives(BOX.left, right), lives(floor, BOX.top)];
  // Without gates the units stand in a row, the shortest first.
  const ranks = [...up.keys()].sort((a, b) => up[a] - up[b]);
  const rank = new Map(ranks.map((place, k) => [place, BOX.left + ((k + 0.5) / ranks.length) * (right - BOX.left)]));
  const across = (place: number) => (gates && measured ? x(gates[place]) : rank.get(place)!);
  const svg = s('svg', { width, height: BOX.high, role: 'img', 'aria-label': livesInWords(stage) });
  for (const tick of [0.1, 1, 10, 100, 1000, 10_000].filter((one) => one >= range[0] && one <= range[1])) {
    svg.append(s('line', { class: 'grid', x1: BOX.left, x2: right, y1: y(tick), y2: y(tick) }),
      s('text', { class: 'tick', x: BOX.left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, String(tick)));
    if (gates && measured) {
      svg.append(s('line', { class: 'grid', x1: x(tick), x2: x(tick), y1: BOX.top, y2: floor }),
        s('text', { class: 'tick', x: x(tick), y: floor + 15, 'text-anchor': 'middle' }, String(tick)));
    }
  }
  if (gates && measured) svg.append(s('line', { class: 'diagonal', x1: x(range[0]), x2: x(range[1]), y1: y(range[0]), y2: y(range[1]) }));
  layer.units.forEach((unit, place) => {
    svg.append(s('circle', {
      class: place === now.unit ? 'dot chosen' : 'dot', cx: across(place), cy: y(up[place]), r: place === now.unit ? 6 : 4,
      click: () => stage.choose({ unit: place }),
    }, s('title', {}, `unit ${unit}: ${livesOf(stage, place)}`)));
  });
  svg.append(
    s('text', { class: 'tick', x: (BOX.left + width) / 2, y: BOX.high - 3, 'text-anchor': 'middle' }, gates && measured ? 'half-life by the gate, in steps' : 'units, the shortest half-life first'),
    s('text', { class: 'tick', transform: `translate(11,${BOX.high / 2 - 10}) rotate(-90)`, 'text-anchor': 'middle' }, measured ? 'measured, in steps' : 'by the gate, in steps'));
  return svg;
}

const steps = (value: number) => (Number.isFinite(value) ? `${number(value, 2)} steps` : 'longer than was followed');

function livesOf({ layer }: Stage, place: number): string {
  const { gates, measured } = layer.half_lives;
  return listed([gates && `${steps(gates[place])} by its gate`, measured && `${steps(measured[place])} measured`].filter((one): one is string => Boolean(one)));
}

function livesInWords(stage: Stage): string {
  const { layer, now } = stage;
  const { gates, measured } = layer.half_lives;
  if (!gates && !measured) return `${nameOf(layer)} has no half-lives that were measured.`;
  const values = [...(measured ?? gates)].sort((a, b) => a - b);
  const median = values[Math.floor((values.length - 1) / 2)];
  return `Steps after which half is left of a small disturbance of a unit. Half of the units hold for at most ${steps(median)}, the longest for ${steps(values.at(-1)!)}. Unit ${layer.units[now.unit]}: ${livesOf(stage, now.unit)}. ${gates && measured ? 'On the line both agree; above it the other units help to hold.' : ''}`;
}
