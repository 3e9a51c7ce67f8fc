// Speech: the sound as a spectrogram, and along its time the symbol that each step answers (CTC).
import { scaleLinear } from 'd3-scale';
import { atWidth, h, s } from '../shared/dom';
import { fixed, quoted, visible } from '../shared/format';
import { ink } from './ink';
import type { Stage, View } from './stage';

const [HIGH, BELOW] = [170, 58];

/** Steps in a row with the same symbol that is no blank. */
export function runsOf(path: string[]): { symbol: string; first: number; last: number }[] {
  const runs: { symbol: string; first: number; last: number }[] = [];
  path.forEach((symbol, step) => {
    if (step && symbol === path[step - 1]) {
      if (symbol) runs.at(-1)!.last = step;
    } else if (symbol) runs.push({ symbol, first: step, last: step });
  });
  return runs;
}

/** Null for a trace without a spectrogram. */
export function speechView(stage: Stage): View | null {
  const sound = stage.trace.spectrogram;
  if (!sound) return null;
  const { values, hop, path } = sound;
  const runs = runsOf(path);
  const text = runs.map(({ symbol }) => symbol).join('');
  // Low bands at the bottom.
  const bands = Array.from(values[0], (_, band) => values.map((frame) => frame[values[0].length - 1 - band]));
  const sorted = values.flatMap((frame) => [...frame]).sort((a, b) => a - b);
  const range: [number, number] = [sorted[Math.floor(0.02 * (sorted.length - 1))], sorted[Math.floor(0.98 * (sorted.length - 1))]];
  const frame = h('div', { class: 'curve speech' });
  const mark = h('div', { class: 'time-mark' });
  const here = h('p', { class: 'quiet' });
  const seconds = (step: number) => (step * values.length * hop) / path.length;
  frame.addEventListener('click', (event) => {
    const box = frame.getBoundingClientRect();
    stage.go(Math.floor(((event.clientX - box.left) / box.width) * stage.steps));
  });

  function draw(): void {
    const width = frame.clientWidth;
    if (!width) return;
    const canvas = h('canvas', {
      role: 'img', style: `height: ${HIGH}px`, width: Math.round(width * window.devicePixelRatio), height: Math.round(HIGH * window.devicePixelRatio),
      'aria-label': `Spectrogram of ${fixed(values.length * hop, 2)} seconds: ${values[0].length} bands, low ones at the bottom`,
    });
    ink(canvas, bands, range, stage.dark.matches);
    const x = (step: number) => (width * step) / path.length;
    const svg = s('svg', { width, height: BELOW, role: 'img', 'aria-label': `It hears ${quoted(text)}` });
    for (const { symbol, first, last } of runs) {
      svg.append(s('rect', { class: 'heard', x: x(first) + 0.5, y: 3, width: Math.max(1, x(last + 1) - x(first) - 1), height: 22, rx: 3 }),
        s('text', { class: 'token', x: x((first + last + 1) / 2), y: 19, 'text-anchor': 'middle' }, visible(symbol)));
    }
    const time = scaleLinear().domain([0, values.length * hop]).range([0, width]);
    for (const tick of time.ticks(Math.max(2, Math.floor(width / 110))).slice(1)) {
      if (time(tick) > width - 24) continue;
      svg.append(s('line', { class: 'grid', x1: time(tick), x2: time(tick), y1: 30, y2: 36 }),
        s('text', { class: 'tick', x: time(tick), y: 50, 'text-anchor': 'middle' }, `${Number(tick.toPrecision(6))} s`));
    }
    frame.replaceChildren(canvas, svg, mark);
  }

  atWidth(frame, draw);
  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'What it heard'), frame,
      h('p', { class: 'saying' }, text ? `It hears ${quoted(text)}: a run of one symbol counts once, what is between them not at all.` : 'It hears nothing.'), here),
    redraw: draw,
    update() {
      const { step } = stage.now;
      mark.style.left = `${(100 * (step + 0.5)) / stage.steps}%`;
      const so = runs.filter(({ first }) => first <= step).map(({ symbol }) => symbol).join('');
      here.textContent = `At ${fixed(seconds(step), 2)} s: ${path[step] ? quoted(path[step]) : 'no symbol'}${so ? `; so far ${quoted(so)}` : ''}.`;
    },
  };
}
