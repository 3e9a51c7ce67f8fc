// What was expected next after each step around the cursor, with what came.
import { atWidth, h } from '../shared/dom';
import { counted, fixed, percent, visible } from '../shared/format';
import type { TraceRecord } from '../shared/records';
import { cameAfter, countOfCame } from './came';
import type { Stage, View } from './stage';
import { named, readAt } from './symbols';

const ROWS = 6;
/** Widths of a column, in pixels. */
const [NARROW, WIDE] = [72, 132];

/** The place of what came among the choices of a step, -1 where it is none of them. */
export function placeOfCame(trace: TraceRecord, step: number): number {
  const { expected, losses } = trace;
  const came = cameAfter(trace, step);
  if (came === undefined || !expected) return -1;
  const exact = expected.choices[step].indexOf(came);
  if (exact >= 0) return exact;
  // A model may read upper case as lower case: then the cost says which it was.
  const cost = losses?.[step] ?? NaN;
  return expected.choices[step].findIndex((name, k) =>
    name.toLowerCase() === came.toLowerCase() && Math.abs(-Math.log(expected.chances[step][k]) - cost) < 0.02);
}

/** Null for a trace that foretells nothing. */
export function expectationsView(stage: Stage): View | null {
  const { trace } = stage;
  const { expected } = trace;
  if (!expected) return null;
  const longest = Math.max(...expected.choices.flat().map((name) => name.length));
  const column = Math.max(NARROW, Math.min(WIDE, 48 + 8 * longest));
  const frame = h('div', { class: 'expected', role: 'group', 'aria-label': 'What is expected next' });
  const here = h('p', { class: 'quiet' });
  let shown = 1;

  function columnOf(step: number): HTMLElement {
    const came = placeOfCame(trace, step);
    const next = cameAfter(trace, step);
    const rows = expected!.choices[step].slice(0, ROWS).map((name, k) =>
      h('span', { class: k === came ? 'guess came' : 'guess' },
        h('i', { style: `width: ${100 * expected!.chances[step][k]}%` }),
        h('span', {}, visible(name)), h('small', {}, `${percent(expected!.chances[step][k])}${k === came ? ' ✓' : ''}`)));
    const beyond = next !== undefined && (came < 0 || came >= ROWS);
    return h('div', { class: step === stage.now.step ? 'guesses here' : 'guesses', click: () => stage.go(step) },
      ...rows,
      h('span', { class: beyond ? 'guess came' : 'guess' }, beyond ? h('span', {}, `✗ ${visible(next)}`) : ''),
      h('b', {}, visible(trace.inputs[step])));
  }

  function draw(): void {
    const { step } = stage.now;
    const first = Math.max(0, Math.min(stage.steps - shown, step - Math.floor(shown / 2)));
    const steps = Array.from({ length: Math.min(shown, stage.steps) }, (_, k) => first + k);
    frame.replaceChildren(...steps.map(columnOf));
    here.textContent = atStep(trace, step);
  }

  atWidth(frame, (width) => {
    shown = Math.max(1, Math.floor((width + 6) / (column + 6)));
    frame.style.gridTemplateColumns = `repeat(${shown}, minmax(0, ${column}px))`;
    draw();
  });
  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'What it expects next'),
      h('p', { class: 'quiet' }, 'Above each step its likeliest next ones in percent; ✓ is what came, ✗ what came and is none of them.'),
      frame, h('p', { class: 'saying' }, inWords(trace)), here),
    redraw: draw,
    update: draw,
  };
}

function atStep(trace: TraceRecord, step: number): string {
  const { choices, chances } = trace.expected!;
  const first = `After ${readAt(trace, step)}, ${named(trace, choices[step][0])} is expected (${percent(chances[step][0])}%)`;
  const next = cameAfter(trace, step);
  if (next === undefined) return `${first}.`;
  const cost = trace.losses?.[step];
  const price = cost !== undefined && Number.isFinite(cost) ? `, at ${percent(Math.exp(-cost))}% (${fixed(cost, 2)} nats)` : '';
  return placeOfCame(trace, step) === 0 ? `${first}, and it came${price}.` : `${first}; ${named(trace, next)} came${price}.`;
}

/** How often what came was expected. */
export function inWords(trace: TraceRecord): string {
  const places = Array.from({ length: countOfCame(trace) }, (_, step) => placeOfCame(trace, step));
  if (!places.length) return '';
  const count = Math.min(ROWS, trace.expected!.choices[0].length);
  const [first, among] = [places.filter((k) => k === 0).length, places.filter((k) => k >= 0 && k < count).length];
  return `What came was the first choice at ${first} of ${counted(places.length, 'step')}, and among the first ${count} at ${among}.`;
}
