// The gates of one unit at one step as flows: ribbons as wide as the numbers that go through them.
import { atWidth, h, s } from '../shared/dom';
import type { TraceLayer } from '../shared/records';
import { numbersOf } from './equations';
import type { Stage, View } from './stage';

const HIGH = 212;
const WIDEST = 30;
/** On a narrow screen it scrolls. */
const LEAST = 600;

type At = (name: string) => number | undefined;

/** A place that numbers meet in: `×`, `+` or a function. */
interface Joint {
  x: number;
  y: number;
  sign: string;
  text: string;
}

interface Ribbon {
  from: [number, number];
  to: [number, number];
  value: number;
  name: string;
  /** The name stands below the ribbon and not above it. */
  below?: boolean;
  /** The name stands beside a ribbon that rises or falls. */
  side?: 'start';
  /** The name stands where the ribbon begins. */
  begin?: boolean;
}

export interface Flow {
  ribbons: Ribbon[];
  joints: Joint[];
}

/** Null where no cell tells what its states are made of. */
export function flowView(stage: Stage): View | null {
  if (stage.trace.layers.every((layer) => flowOf(layer, 0, 0) === null)) return null;
  const frame = h('div', { class: 'flow scroll', tabindex: 0, scroll: () => fade() });
  // What scrolls says so: its edge fades.
  const fade = () => frame.classList.toggle('more', frame.scrollLeft + frame.clientWidth < frame.scrollWidth - 2);
  const where = h('p', { class: 'quiet' });
  let width = 0;
  const draw = () => {
    const { layer, now } = stage;
    if (!width) return;
    where.textContent = `Unit ${layer.units[now.unit]} at step ${now.step + 1}: the wider a ribbon, the larger its number. Blue is below zero, orange above.`;
    const flow = flowOf(layer, now.step, now.unit);
    frame.replaceChildren(flow ? picture(flow, width) : h('p', { class: 'quiet' }, 'This cell tells no gates.'));
    frame.classList.toggle('more', Boolean(flow) && width < LEAST && frame.scrollLeft === 0);
  };
  atWidth(frame, (now) => {
    width = now;
    draw();
  });
  return { element: h('section', {}, h('h3', {}, 'The gates as flows'), where, frame), redraw: draw, update: draw };
}

/** Places are in units of a width of 100 and a height of 100; null for a cell that tells nothing. */
export function flowOf(layer: TraceLayer, step: number, unit: number): Flow | null {
  const at: At = numbersOf(layer, step, unit);
  if (layer.cell === 'LSTM' && layer.gates.f && layer.states.c) return lstm(at);
  if (layer.cell === 'GRU' && layer.gates.z) return gru(at);
  if (layer.terms['h.a']) return linear(at);
  if (layer.cell.startsWith('RNN') && layer.terms['h.x']) return plain(at, layer.cell === 'RNN_RELU' ? 'relu' : 'tanh');
  return null;
}

function lstm(at: At): Flow {
  const [i, f, g, o, old, c, hidden] = ['i', 'f', 'g', 'o', 'c before', 'c', 'h'].map((name) => at(name)!);
  const made = f * old + i * g;
  return {
    ribbons: [
      { from: [2, 30], to: [24, 30], value: old, name: 'c before' },
      { from: [24, 30], to: [48, 30], value: f * old, name: 'f · c before' },
      { from: [14, 84], to: [34, 84], value: g, name: 'g, the candidate' },
      { from: [34, 84], to: [48, 30], value: i * g, name: 'i · g', side: 'start' },
      { from: [48, 30], to: [97, 30], value: c, name: 'c, goes on' },
      { from: [62, 30], to: [70, 84], value: Math.tanh(at('c.n') ?? made), name: 'tanh c', side: 'start' },
      { from: [70, 84], to: [97, 84], value: hidden, name: 'h, the output' },
    ],
    joints: [
      { x: 24, y: 30, sign: '×', text: `forget gate f ${f.toFixed(2)}` },
      { x: 34, y: 84, sign: '×', text: `input gate i ${i.toFixed(2)}` },
      { x: 48, y: 30, sign: '+', text: '' },
      { x: 70, y: 84, sign: '×', text: `output gate o ${o.toFixed(2)}` },
    ],
  };
}

function gru(at: At): Flow {
  const [z, n, old, hidden] = ['z', 'n', 'h before', 'h'].map((name) => at(name)!);
  const r = at('r')!;
  const flow: Flow = {
    ribbons: [
      { from: [2, 30], to: [42, 30], value: old, name: 'h before' },
      { from: [42, 30], to: [66, 30], value: z * old, name: 'z · h before' },
      { from: [36, 84], to: [54, 84], value: n, name: 'n, the candidate' },
      { from: [54, 84], to: [66, 30], value: (1 - z) * n, name: '(1 − z) · n', side: 'start' },
      { from: [66, 30], to: [97, 30], value: hidden, name: 'h, goes on, and is the output' },
    ],
    joints: [
      { x: 42, y: 30, sign: '×', text: `update gate z ${z.toFixed(2)}` },
      { x: 54, y: 84, sign: '×', text: `1 − z ${(1 - z).toFixed(2)}` },
      { x: 66, y: 30, sign: '+', text: '' },
    ],
  };
  const [x, back] = [at('n.x'), at('n.h')];
  if (x === undefined || back === undefined) return flow;
  flow.ribbons.push(
    { from: [2, 97], to: [36, 84], value: x, name: 'from the input', below: true, begin: true },
    { from: [2, 66], to: [20, 66], value: back, name: 'from the state', below: true, begin: true },
    { from: [20, 66], to: [36, 84], value: r * back, name: '' });
  flow.joints.push({ x: 20, y: 66, sign: '×', text: `reset gate r ${r.toFixed(2)}` }, { x: 36, y: 84, sign: 'f', text: '' });
  return flow;
}

function plain(at: At, name: string): Flow {
  const [x, back, hidden] = ['h.x', 'h.h', 'h'].map((part) => at(part)!);
  return {
    ribbons: [
      { from: [4, 30], to: [46, 50], value: back, name: 'from the state before, W h', begin: true },
      { from: [4, 84], to: [46, 50], value: x, name: 'from the input, W x', below: true, begin: true },
      { from: [46, 50], to: [68, 50], value: x + back, name: 'sum' },
      { from: [68, 50], to: [97, 50], value: hidden, name: 'h, goes on, and is the output' },
    ],
    joints: [{ x: 46, y: 50, sign: '+', text: '' }, { x: 68, y: 50, sign: name === 'relu' ? '⌊' : 'f', text: name }],
  };
}

function linear(at: At): Flow {
  const [a, b, old, hidden] = ['h.a', 'h.b', 'h before', 'h'].map((name) => at(name)!);
  return {
    ribbons: [
      { from: [4, 35], to: [34, 35], value: old, name: 'h before' },
      { from: [34, 35], to: [62, 35], value: a * old, name: 'a · h before' },
      { from: [34, 84], to: [62, 35], value: b, name: 'b, from the input alone', side: 'start' },
      { from: [62, 35], to: [97, 35], value: hidden, name: 'h, goes on' },
    ],
    joints: [{ x: 34, y: 35, sign: '×', text: `a ${a.toFixed(2)}` }, { x: 62, y: 35, sign: '+', text: '' }],
  };
}

function picture(flow: Flow, width: number): SVGSVGElement {
  const wide = Math.max(LEAST, Math.min(width, 860));
  const [x, y] = [(place: number) => (place / 100) * wide, (place: number) => 8 + (place / 100) * (HIGH - 44)];
  const largest = Math.max(...flow.ribbons.map((one) => Math.abs(one.value)), 1e-9);
  const words = flow.ribbons.filter((one) => one.name).map((one) => `${one.name} ${one.value.toFixed(3)}`).join(', ');
  const svg = s('svg', { width: wide, height: HIGH, role: 'img', 'aria-label': words });
  const names: Node[] = [];
  for (const { from, to, value, name, below, side, begin } of flow.ribbons) {
    const [x1, y1, x2, y2] = [x(from[0]), y(from[1]), x(to[0]), y(to[1])];
    const bend = (x2 - x1) / 2;
    const thick = Math.max(1, (WIDEST * Math.abs(value)) / largest);
    svg.append(s('path', {
      class: value < 0 ? 'ribbon below' : 'ribbon above', 'stroke-width': thick,
      d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
    }));
    if (name) {
      const [across, at] = side
        ? [(x1 + x2) / 2 + 8 + thick / 2, (y1 + y2) / 2 + 5]
        : [begin ? x1 : (x1 + x2) / 2, (begin ? y1 : (y1 + y2) / 2) + (below ? 15 + thick / 2 : -6 - thick / 2)];
      names.push(s('text', { x: across, y: at, 'text-anchor': side ?? (begin ? 'start' : 'middle'), class: 'ribbon-name' },
        `${name} `, s('tspan', { class: 'figure' }, value.toFixed(3).replace('-', '−'))));
    }
  }
  for (const joint of flow.joints) {
    names.push(s('circle', { class: 'joint', cx: x(joint.x), cy: y(joint.y), r: 11 }),
      s('text', { class: 'joint-sign', x: x(joint.x), y: y(joint.y) + 5, 'text-anchor': 'middle' }, joint.sign),
      s('text', { class: 'joint-name', x: x(joint.x), y: y(joint.y) + 30, 'text-anchor': 'middle' }, joint.text));
  }
  svg.append(...names);
  return svg;
}
