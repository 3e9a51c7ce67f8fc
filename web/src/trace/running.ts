// The answer after every word, under the word: what each of them changed.
import { choice, h, uid } from '../shared/dom';
import { counted, listed, percent, pointsBetween, quoted, spoken, visible } from '../shared/format';
import type { TraceAnswers } from '../shared/records';
import { pointAt } from './options';
import type { Stage, View } from './stage';
import { wordAt, wordsOf, type Word } from './words';

/** A change of so many points is drawn as one. */
const NOTED = 5;

/** What a word changed in the probability of a label, in points of a hundred; the first one has nothing before it. */
export function changes(words: Word[], { chances }: TraceAnswers, label: number): (number | null)[] {
  return words.map((word, k) => (k ? pointsBetween(chances[words[k - 1].last][label], chances[word.last][label]) : null));
}

const signed = (change: number | null) => (change ? `${change > 0 ? '+' : '−'}${Math.abs(change)}` : '·');

/** Null for a trace without running answers, and for a sound, which has no words to put them under. */
export function runningView(stage: Stage): View | null {
  const { answers, spectrogram } = stage.trace;
  if (!answers?.running || spectrogram) return null;
  const words = wordsOf(stage.trace);
  const { names, chances } = answers;
  const end = chances.at(-1)!;
  let label = end.indexOf(Math.max(...end));
  // Of two labels that exclude each other the middle is where neither leads.
  const two = names.length === 2 && chances.every((row) => Math.abs(row[0] + row[1] - 1) < 1e-3);

  const blocks = words.map((word) => {
    const bar = h('i', {});
    const change = h('small', {});
    const block = h('span', { role: 'option', id: uid('word'), class: 'answered', click: () => stage.go(word.last) },
      h('b', {}, visible(word.text)), h('span', { class: two ? 'level middle' : 'level' }, bar), change);
    return { block, bar, change };
  });
  const list = h('div', { class: 'running', role: 'listbox', tabindex: 0 }, ...blocks.map(({ block }) => block));
  const finding = h('p', { class: 'saying' });
  const here = h('p', { class: 'quiet' });
  const picks = names.map((text, k) => ({ value: String(k), text }));
  const pick = names.length > 5
    ? h('select', { 'aria-label': 'Label', change: (event: Event) => show(Number((event.target as HTMLSelectElement).value)) },
      ...picks.map(({ value, text }) => h('option', { value, selected: value === String(label) }, text)))
    : choice('Label', picks, String(label), (value) => show(Number(value)));

  function show(chosen: number): void {
    label = chosen;
    const moved = changes(words, answers!, label);
    words.forEach((word, k) => {
      const p = chances[word.last][label];
      const { block, bar, change } = blocks[k];
      block.setAttribute('aria-label', `${spoken(word.text)}: ${answerIn(k, moved[k])}`);
      const [low, high] = two ? [Math.min(p, 0.5), Math.max(p, 0.5)] : [0, p];
      bar.style.bottom = `${100 * low}%`;
      bar.style.height = `${100 * (high - low)}%`;
      bar.classList.toggle('against', two && p < 0.5);
      change.textContent = signed(moved[k]);
      change.className = moved[k] !== null && Math.abs(moved[k]!) >= NOTED ? (moved[k]! > 0 ? 'up' : 'down') : '';
    });
    const found = inWords(words, answers!, label);
    finding.textContent = found;
    list.setAttribute('aria-label', `The answer under each word. ${found} Arrow keys move.`);
    say();
  }

  function say(): void {
    const k = wordAt(words, stage.now.step);
    const moved = changes(words, answers!, label)[k];
    here.textContent = `After ${quoted(words[k].text)}: ${answerIn(k, moved)}${moved === null ? '' : ' by this word'}.`;
    pointAt(list, blocks.map(({ block }) => block), k);
  }

  function answerIn(k: number, moved: number | null): string {
    return `${names[label]} ${percent(chances[words[k].last][label])}%${moved === null ? '' : `, ${told(moved)}`}`;
  }

  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'The answer, word by word'),
      h('p', { class: 'controls' }, h('span', { class: 'pick' }, 'Probability of '), pick), list, finding, here),
    redraw: () => show(label),
    update: say,
  };
}

const told = (moved: number) => (moved ? `${moved > 0 ? 'up' : 'down'} ${counted(Math.abs(moved), 'point')}` : 'unchanged');

/** More words that changed it alike are counted, not named. */
const NAMED = 3;

/** Where the answer ends, and the word that changed it most. */
export function inWords(words: Word[], answers: TraceAnswers, label: number): string {
  const end = `The text ends at ${answers.names[label]} ${percent(answers.chances.at(-1)![label])}%.`;
  const moved = changes(words, answers, label).map((change) => change ?? 0);
  const most = Math.max(...moved.map(Math.abs));
  if (most < NOTED) return `${end} No word changed it by ${NOTED} points.`;
  const movers = words.filter((_, k) => Math.abs(moved[k]) === most).map(({ text }) => quoted(text));
  if (movers.length === 1) return `${end} ${movers[0]} changed it most: ${told(moved.find((change) => Math.abs(change) === most)!)}.`;
  return `${end} ${movers.length > NAMED ? `${movers.length} words` : listed(movers)} changed it most, by ${counted(most, 'point')} each.`;
}
