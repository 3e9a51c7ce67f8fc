// What stands one below the other along the time of a sound: words, spectrogram, symbols, the states and gates of every layer.
import { scaleLinear } from 'd3-scale';
import { h, s } from '../shared/dom';
import { fixed, percent, quoted, visible } from '../shared/format';
import type { SpokenWord } from '../shared/records';
import { BLANK, ink, SHADES } from './ink';
import { pixelsOf } from './map';
import { runsOf } from './speech';
import { limitOf, nameOf, quantityOf, type Stage } from './stage';

const [WORDS, SOUND, ROW, AXIS, HEAD] = [30, 150, 17, 26, 30];
const [STATE, GATE] = [56, 30];
/** Pixels of a letter and of its line, and the most lines. */
const [LETTER, LINE, LINES] = [9.5, 17, 4];
/** Of a spectrogram what lies so far below the loudest is drawn as silence: 52 decibels of a power, as its logarithm. */
const DEEP = 12;

export interface Band {
  /** What stands beside it, from the top, with heights that add up to its own. */
  names: { text: string; high: number; kind?: string }[];
  draw(): Element;
}

export function bandsOf(stage: Stage, seconds: number, width: number): Band[] {
  const { heard, spectrogram } = stage.trace;
  const found = [...(heard?.words.length ? [wordsBand('heard', heard.words, seconds * stage.steps)] : []), soundBand(stage, seconds, width)];
  if (spectrogram!.path.some((symbol) => symbol)) found.push(pathBand(stage, width));
  if (heard?.reference.length) found.push(wordsBand('given', heard.reference, seconds * stage.steps));
  if (heard) found.push(...chancesBands(stage, width));
  found.push(axisBand(stage, seconds, width));
  return [...found, ...layerBands(stage, width)];
}

/** The words, each where it was said, the surer the stronger. */
function wordsBand(name: string, words: SpokenWord[], whole: number): Band {
  return {
    names: [{ text: name, high: WORDS }],
    draw: () => h('div', { class: `spoken ${name}`, style: `height: ${WORDS}px` }, ...words.flatMap(({ text, start, end, confidence }, k) => {
      const place = (from: number, to: number) => `left: ${(100 * from) / whole}%; width: ${(100 * (to - from)) / whole}%`;
      const title = `${text}: ${fixed(start, 2)} to ${fixed(end, 2)} s, ${percent(confidence)}% sure`;
      // A word may be longer than its place: it goes on as far as nothing else stands there.
      return [h('i', { title, style: `${place(start, end)}; --sure: ${Math.round(100 * confidence)}%` }), h('b', { title, style: place(start, words[k + 1]?.start ?? whole) }, text)];
    })),
  };
}

function soundBand({ trace, dark }: Stage, seconds: number, width: number): Band {
  const { values, hop, path } = trace.spectrogram!;
  return {
    names: [{ text: 'sound', high: SOUND }],
    draw() {
      // Low bands at the bottom.
      const bands = Array.from(values[0], (_, band) => values.map((frame) => frame[values[0].length - 1 - band]));
      const sorted = values.flatMap((frame) => [...frame]).sort((a, b) => a - b);
      const [low, high] = [0.02, 0.98].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
      const range: [number, number] = [trace.sound ? Math.max(low, high - DEEP) : low, high];
      const canvas = canvasOf(width, SOUND, `Spectrogram of ${fixed(values.length * hop, 2)} seconds: ${values[0].length} bands, low ones at the bottom`);
      ink(canvas, bands, range, dark.matches);
      const x = (time: number) => (width * time) / (seconds * path.length);
      const over = s('svg', { width, height: SOUND, class: 'over', 'aria-hidden': 'true' },
        ...(trace.heard?.words ?? []).map(({ start, end }) => s('rect', { class: 'word-span', x: x(start), y: 0, width: x(end) - x(start), height: SOUND })),
        ...runsOf(path, trace.heard?.repeats).map(({ first }) => s('line', { class: 'stem', x1: x(first * seconds) + 0.5, x2: x(first * seconds) + 0.5, y1: SOUND - 26, y2: SOUND })));
      return h('div', { class: 'sound' }, canvas, over);
    },
  };
}

/** The symbol of each step; letters that would lie on each other stand on lines of their own. */
function pathBand({ trace, steps }: Stage, width: number): Band {
  const runs = runsOf(trace.spectrogram!.path, trace.heard?.repeats);
  const x = (step: number) => (width * step) / steps;
  const ends: number[] = [];
  const placed = runs.map(({ symbol, first, last }) => {
    const name = visible(symbol);
    const [middle, half] = [x((first + last + 1) / 2), (LETTER * name.length) / 2];
    const free = ends.findIndex((end) => end <= middle - half);
    const line = free < 0 ? Math.min(ends.length, LINES - 1) : free;
    ends[line] = middle + half;
    return { name, middle, line, from: x(first), to: x(last + 1) };
  });
  const high = 7 + ends.length * LINE;
  return {
    names: [{ text: 'path', high }],
    draw: () => s('svg', { width, height: high, role: 'img', 'aria-label': `The path: ${quoted(runs.map(({ symbol }) => symbol).join(''))}` },
      ...placed.map(({ from, to, line }) => s('rect', { class: 'heard', x: from + 0.5, y: 2, width: Math.max(1, to - from - 1), height: LINE * (line + 1) + 1, rx: 3 })),
      ...placed.map(({ name, middle, line }) => s('text', { class: 'token', x: middle, y: 17 + LINE * line, 'text-anchor': 'middle' }, name))),
  };
}

/** A row for each symbol, the blank in a quiet colour; of labels a row for each. */
function chancesBands({ trace, dark }: Stage, width: number): Band[] {
  const { names, chances } = trace.heard!;
  const row = (name: number) => chances.map((step) => step[name]);
  const blank = names.indexOf('');
  const others = names.map((_, k) => k).filter((k) => k !== blank);
  const rows = (shown: number[], shades: typeof SHADES, label: string, kind: string): Band => ({
    names: shown.map((k) => ({ text: names[k] ? visible(names[k]) : 'blank', high: ROW, kind })),
    draw() {
      const canvas = canvasOf(width, ROW * shown.length, label);
      ink(canvas, shown.map(row), [0, 1], dark.matches, shades);
      canvas.classList.add('chances');
      return canvas;
    },
  });
  return [
    ...(blank >= 0 ? [rows([blank], BLANK, 'How probable the blank is at each step', 'blank')] : []),
    ...(others.length ? [rows(others, SHADES, `How probable ${blank < 0 ? 'each label is after' : 'each symbol is at'} each step`, 'symbol')] : []),
  ];
}

function axisBand({ trace }: Stage, seconds: number, width: number): Band {
  const whole = seconds * trace.inputs.length;
  return {
    names: [{ text: 'time', high: AXIS }],
    draw() {
      const svg = s('svg', { width, height: AXIS, 'aria-hidden': 'true' });
      const time = scaleLinear().domain([0, whole]).range([0, width]);
      for (const tick of time.ticks(Math.max(2, Math.floor(width / 110))).slice(1)) {
        if (time(tick) > width - 24) continue;
        svg.append(s('line', { class: 'grid', x1: time(tick), x2: time(tick), y1: 2, y2: 8 }),
          s('text', { class: 'tick', x: time(tick), y: 20, 'text-anchor': 'middle' }, `${Number(tick.toPrecision(6))} s`));
      }
      return svg;
    },
  };
}

/** Of each layer its states, and below them its gates, the units in the same order. */
function layerBands(stage: Stage, width: number): Band[] {
  return stage.trace.layers.flatMap((layer, place) => [
    { names: [{ text: '', high: HEAD }], draw: () => h('div', { class: 'layer-name', style: `height: ${HEAD}px` }, h('span', {}, nameOf(layer))) },
    ...[...Object.keys(layer.states), ...Object.keys(layer.gates)].map((quantity) => unitsBand(stage, width, place, quantity, quantity in layer.states ? STATE : GATE)),
  ]);
}

function unitsBand(stage: Stage, width: number, place: number, quantity: string, high: number): Band {
  const layer = stage.trace.layers[place];
  return {
    names: [{ text: quantity, high: high + 2, kind: 'quantity' }],
    draw() {
      const order = stage.alikeIn(place);
      const rows = quantityOf(layer, quantity);
      const limit = stage.once(`limit ${place} ${quantity}`, () => limitOf(rows, quantity));
      const canvas = canvasOf(width, high, `${quantity} of ${nameOf(layer)}: a row for each of ${order.length} units`);
      const to = canvas.getContext('2d')!;
      to.imageSmoothingEnabled = false;
      to.drawImage(pixelsOf(rows, order, stage.colours, limit), 0, 0, canvas.width, canvas.height);
      canvas.addEventListener('click', (event) => {
        const box = canvas.getBoundingClientRect();
        const unit = order[Math.max(0, Math.min(order.length - 1, Math.floor(((event.clientY - box.top) / box.height) * order.length)))];
        stage.choose({ layer: place, quantity, unit });
      });
      const chosen = stage.now.layer === place && stage.now.quantity === quantity;
      return h('div', { class: chosen ? 'units chosen' : 'units', style: `height: ${high + 2}px` }, canvas);
    },
  };
}

function canvasOf(width: number, high: number, label: string): HTMLCanvasElement {
  const ratio = window.devicePixelRatio;
  return h('canvas', { role: 'img', 'aria-label': label, style: `height: ${high}px`, width: Math.round(width * ratio), height: Math.round(high * ratio) });
}
