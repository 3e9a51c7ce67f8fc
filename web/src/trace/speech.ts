// Speech: the sound as a spectrogram, and along its time what each step answers, the words, and every layer below it.
// One time axis and one cursor for all of them, which goes with the sound while that plays.
import { atWidth, h } from '../shared/dom';
import { fixed, percent, quoted } from '../shared/format';
import type { SpokenWord, TraceRecord } from '../shared/records';
import { bandsOf } from './bands';
import { player } from './player';
import { columnIn } from './rows';
import type { Stage, View } from './stage';

/** Pixels of a step, at least: what does not fit scrolls. */
const LEAST = 5;

/** Steps in a row with the same symbol that is no blank; of a transducer (`repeats`) each step alone, which says its symbols anew. */
export function runsOf(path: string[], repeats = false): { symbol: string; first: number; last: number }[] {
  const runs: { symbol: string; first: number; last: number }[] = [];
  path.forEach((symbol, step) => {
    if (step && !repeats && symbol === path[step - 1]) {
      if (symbol) runs.at(-1)!.last = step;
    } else if (symbol) runs.push({ symbol, first: step, last: step });
  });
  return runs;
}

/** Null for a trace without a spectrogram. */
export function speechView(stage: Stage): View | null {
  const sound = stage.trace.spectrogram;
  if (!sound) return null;
  const { heard } = stage.trace;
  const { values, hop, path } = sound;
  const seconds = (values.length * hop) / path.length;
  const text = heard?.text ?? runsOf(path).map(({ symbol }) => symbol).join('');
  const plot = h('div', { class: 'curve speech' });
  const mark = h('div', { class: 'time-mark' });
  const gutter = h('div', { class: 'gutter sound-gutter', 'aria-hidden': 'true' });
  const scroller = h('div', { class: 'scroll sound-scroll' }, plot);
  const here = h('p', { class: 'quiet' });
  const plays = player(stage, seconds, place);
  let width = 0;

  plot.addEventListener('click', (event) => {
    const box = plot.getBoundingClientRect();
    stage.go(Math.floor(((event.clientX - box.left) / box.width) * stage.steps));
  });

  function draw(): void {
    if (!scroller.clientWidth) return;
    width = Math.max(scroller.clientWidth, LEAST * stage.steps);
    const bands = bandsOf(stage, seconds, width);
    plot.style.width = `${width}px`;
    plot.replaceChildren(...bands.map((band) => band.draw()), mark);
    gutter.replaceChildren(...bands.map(({ names }) => h('div', {}, ...names.map(({ text, high, kind }) => h('span', { class: kind ?? '', style: `height: ${high}px` }, text)))));
    place();
  }

  /** The cursor: in the middle of its step, and where the sound is while it plays. */
  function place(): void {
    const at = plays?.at() ?? null;
    const share = at === null ? (stage.now.step + 0.5) / stage.steps : Math.min(1, at / (seconds * stage.steps));
    mark.style.left = `${100 * share}%`;
    const to = columnIn(scroller, scroller.scrollLeft, share * width);
    if (to !== scroller.scrollLeft) scroller.scrollLeft = to;
  }

  atWidth(scroller, draw);
  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'What it heard'),
      h('p', { class: 'saying' }, inWords(stage.trace, text)), plays?.element, h('div', { class: 'unfolded-frame' }, gutter, scroller), here, wordTable(stage.trace)),
    redraw: draw,
    update() {
      const { step } = stage.now;
      place();
      plays?.update();
      here.textContent = stepInWords(stage.trace, step, seconds);
    },
  };
}

export function inWords({ heard, spectrogram, alike }: TraceRecord, text: string): string {
  if (!text) return 'It hears nothing.';
  if (heard && !heard.names.includes('')) {
    const [end, label] = [heard.chances.at(-1)!, heard.names.indexOf(text)];
    return `It hears ${quoted(text)}, ${percent(end[label])}% sure at the end.`;
  }
  if (heard?.repeats) return `It hears ${quoted(text)}: below the sound stands what each step says. A step may say several symbols, or none.`;
  const said = runsOf(spectrogram!.path).map(({ symbol }) => symbol).join('');
  const asked = (alike ?? []).some(({ rivals }) => rivals.some(({ language, hot, second }) => language || hot || second));
  const letters = (words: string) => words.replace(/\s/g, '');
  if (letters(said) === letters(text)) return `It hears ${quoted(text)}: of the path each run of a symbol counts once, and what is between them not at all.`;
  return `It hears ${quoted(text)}. The path alone, the likeliest symbol of each step, says ${quoted(said)}: the search adds up all paths that say the same${asked ? ', and asks the language' : ''}.`;
}

/** The step in a line: its symbol, or the likeliest labels. */
export function stepInWords({ heard, spectrogram }: TraceRecord, step: number, seconds: number): string {
  const { path } = spectrogram!;
  const when = `At ${fixed(step * seconds, 2)} s`;
  const best = heard ? [...heard.chances[step]].map((p, k) => ({ p, name: heard.names[k] })).sort((a, b) => b.p - a.p).slice(0, 3).filter(({ p }) => p >= 0.005) : [];
  const likely = best.map(({ p, name }) => `${name ? quoted(name) : 'no symbol'} ${percent(p)}%`).join(', ');
  if (heard && !heard.names.includes('')) return `${when}: ${likely}.`;
  const so = runsOf(path, heard?.repeats).filter(({ first }) => first <= step).map(({ symbol }) => symbol).join('');
  const now = likely || (path[step] ? quoted(path[step]) : 'no symbol');
  return `${when}: ${now}${so ? `; so far ${quoted(so)}` : ''}.`;
}

/** The words with their times, for who does not see the drawing; null where there are none. */
function wordTable({ heard }: TraceRecord): HTMLElement | null {
  if (!heard?.words.length && !heard?.reference.length) return null;
  const rows = (words: SpokenWord[]) => words.map(({ text, start, end, confidence }) =>
    h('tr', {}, h('th', { scope: 'row' }, text), h('td', {}, fixed(start, 2)), h('td', {}, fixed(end, 2)), h('td', {}, `${percent(confidence)}%`)));
  const table = (name: string, words: SpokenWord[]) => words.length > 0 && h('table', { class: 'numbers' }, h('caption', {}, name),
    h('thead', {}, h('tr', {}, ...['word', 'from (s)', 'to (s)', 'sure'].map((head) => h('th', { scope: 'col' }, head)))), h('tbody', {}, ...rows(words)));
  return h('details', {}, h('summary', {}, 'The words with their times'),
    h('div', { class: 'scroll' }, table('Heard', heard.words), table('Given, where it fits best', heard.reference)));
}
