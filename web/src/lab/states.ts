// One network reading the example: inputs, state over time as colours, what was wanted, what it answers.
import { atWidth, h, s } from '../shared/dom';
import { visible } from '../shared/format';
import { colour, palette } from '../shared/heat';
import type { Facts, LabRecord, Look } from './records';
import { detailsOf, NAMES, nameOf } from './words';

const ROW = 20;
const LEFT = 64;
/** Narrower columns hold no letter each. */
const READABLE = 6;

const SPELLED: Record<string, string> = {
  h: 'state h', c: 'memory c', i: 'input gate i', f: 'forget gate f', g: 'new content g', o: 'output gate o',
  r: 'reset gate r', z: 'keeping gate z', n: 'new content n',
};
/** What there is to see of each cell. */
const PARTS: Record<string, string[]> = { none: [], RNN: ['h'], GRU: ['h', 'z', 'r', 'n'], LSTM: ['h', 'c', 'f', 'i', 'o', 'g'] };

export interface Column {
  element: HTMLElement;
  update: (facts: Facts, record: LabRecord) => void;
}

export function column(place: 0 | 1, show: (part: string) => void): Column {
  const title = h('h3', { class: `of-${place}` });
  const details = h('p', { class: 'quiet' });
  const trouble = h('p', { class: 'trouble', role: 'status' });
  const parts = h('select', { 'aria-label': `What the colours of network ${NAMES[place]} show`, change: () => show(parts.value) });
  const pick = h('label', { class: 'pick' }, 'colours: ', parts);
  const memory = h('span', { class: 'quiet' });
  const box = h('div', { class: 'reading-box' });
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  let latest: [Facts, LabRecord] | null = null;
  let width = 0;
  const draw = () => {
    if (latest && width) box.replaceChildren(reading(latest[0], latest[1].students[place].look, width, dark.matches));
  };
  dark.addEventListener('change', draw);
  atWidth(box, (now) => {
    width = now;
    draw();
  });
  return {
    element: h('article', { class: 'card lab-column', 'aria-label': `Network ${NAMES[place]}` }, title, details, h('div', { class: 'controls' }, pick, memory), box, trouble),
    update(facts, record) {
      const one = facts.settings.students[place];
      const { look, trouble: why } = record.students[place];
      title.textContent = `${NAMES[place]}: ${nameOf(one)}`;
      details.textContent = detailsOf(one);
      if (trouble.textContent !== why) trouble.textContent = why;
      const there = PARTS[one.cell];
      if ([...parts.options].map((option) => option.value).join() !== there.join()) {
        parts.replaceChildren(...there.map((part) => h('option', { value: part }, SPELLED[part])));
      }
      pick.hidden = there.length < 2;
      const { activeElement } = parts.getRootNode() as Document | ShadowRoot;
      if (there.length && activeElement !== parts) parts.value = look.shown;
      memory.textContent = look.half_life === null ? '' : `half-life by its gates: ${look.half_life < 100 ? look.half_life.toFixed(1) : Math.round(look.half_life)} steps`;
      latest = [facts, record];
      draw();
    },
  };
}

function reading(facts: Facts, look: Look, width: number, dark: boolean): HTMLElement {
  const steps = facts.inputs.length;
  const wide = (width - LEFT) / steps;
  const rows = look.values.length;
  const high = rows ? Math.max(44, Math.min(7, 224 / rows) * rows) : 44;
  const texts = (values: string[], name: string, y: number, of: (step: number) => string = () => '') => {
    const row = s('g', { class: 'row' }, s('text', { class: 'row-name', x: 0, y: y + 14 }, name));
    const few = values.filter(Boolean).length <= 4;
    values.forEach((value, step) => {
      if (!value || (wide < READABLE && !few)) return;
      const end = few && value.length > 1;
      const at = LEFT + wide * (step + (end && step > steps / 2 ? 1 : end ? 0 : 0.5));
      row.append(s('text', { class: `symbol ${of(step)}`, x: at, y: y + 14, 'text-anchor': end ? (step > steps / 2 ? 'end' : 'start') : 'middle' }, visible(value)));
    });
    return row;
  };
  const long = Math.max(...facts.inputs.map((one) => one.length)) > 1 && wide < 60 && facts.inputs.filter(Boolean).length > 4;
  const top = long ? 56 : ROW + 4;
  const below = top + high + 4;
  const height = below + 3 * ROW;
  // Letters as large as their columns allow, and no larger than the text around them.
  const size = Math.max(9, Math.min(13, wide * 1.55));
  const svg = s('svg', { class: 'reading-svg', style: `--symbol: ${size}px`, width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': inWords(facts, look) });
  if (long) {
    // The steeper, the less of the last word lies beyond its column.
    const angle = wide < 40 ? -68 : -50;
    svg.append(s('text', { class: 'row-name', x: 0, y: top - 8 }, 'reads'), ...facts.inputs.map((word, step) => {
      const at = LEFT + wide * (step + 0.5);
      return s('text', { class: 'symbol slanted', x: at, y: top - 6, transform: `rotate(${angle} ${at} ${top - 6})` }, word);
    }));
  } else {
    svg.append(texts(facts.inputs, 'reads', 0));
  }
  if (rows) svg.append(s('text', { class: 'row-name', x: 0, y: top + 14 }, look.shown), s('text', { class: 'row-name', x: 0, y: top + 30 }, `${rows} units`));
  else svg.append(s('text', { class: 'symbol none', x: LEFT, y: top + 26 }, 'no state to pass on'));
  svg.append(texts(facts.targets, 'wanted', below), texts(look.answers, 'answers', below + ROW, (step) => (look.right[step] ? 'right' : 'wrong')));
  const wrong = look.answers.filter(Boolean).length <= 4 ? '✗' : '·';
  look.answers.forEach((answer, step) => {
    if (answer && (wide >= 4 || wrong === '✗')) {
      svg.append(s('text', { class: look.right[step] ? 'tick-mark right' : 'tick-mark wrong', x: LEFT + wide * (step + 0.5), y: below + 2 * ROW + 12, 'text-anchor': 'middle' }, look.right[step] ? '✓' : wrong));
    }
  });
  return h('div', { class: 'reading-frame' }, rows ? heat(look, width - LEFT, high, top, dark) : null, svg);
}

function heat(look: Look, width: number, high: number, top: number, dark: boolean): HTMLCanvasElement {
  const ratio = window.devicePixelRatio || 1;
  const canvas = h('canvas', { class: 'lab-heat', 'aria-hidden': 'true', width: Math.round(width * ratio), height: Math.round(high * ratio), style: `left:${LEFT}px;top:${top}px;width:${width}px;height:${high}px` });
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  const colours = palette(dark);
  // A gate runs from 0 to 1: half open is the middle of the colours.
  const gate = ['i', 'f', 'o', 'r', 'z'].includes(look.shown);
  const [wide, tall] = [width / look.values[0].length, high / look.values.length];
  look.values.forEach((row, unit) => row.forEach((value, step) => {
    context.fillStyle = colour(gate ? 2 * value - 100 : value, 100, colours);
    context.fillRect(step * wide, unit * tall, wide + (wide < 5 ? 0.5 : -0.5), tall - (tall > 4 ? 0.5 : 0));
  }));
  return canvas;
}

function inWords(facts: Facts, look: Look): string {
  const asked = facts.targets.map((target, step) => (target ? step : -1)).filter((step) => step >= 0);
  const right = asked.filter((step) => look.right[step]).length;
  const read = facts.inputs.filter(Boolean).map(visible).join(' ');
  return `It reads ${read}. Wanted: ${facts.targets.filter(Boolean).map(visible).join(' ')}. It answers: ${look.answers.filter(Boolean).map(visible).join(' ')}; ${right} of ${asked.length} right.`;
}
