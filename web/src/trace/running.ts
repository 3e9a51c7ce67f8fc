// The answer after every word, under the word: what each of them changed.
import { choice, h } from '../shared/dom';
import { percent, quoted, visible } from '../shared/format';
import type { TraceAnswers } from '../shared/records';
import type { Stage, View } from './stage';
import { reveal, wordAt, wordsOf, type Word } from './words';

/** A change from here on is drawn as one. */
const NOTED = 0.05;

/** What a word changed in the probability of a label; the first one has nothing before it. */
export function changes(words: Word[], { chances }: TraceAnswers, label: number): (number | null)[] {
  return words.map((word, k) => (k ? chances[word.last][label] - chances[words[k - 1].last][label] : null));
}

/** In points of a hundred, with its sign; nothing for next to nothing. */
const points = (change: number | null) =>
  change === null || Math.abs(change) < NOTED / 10 ? '' : `${change > 0 ? '+' : '−'}${percent(Math.abs(change))}`;

/** Null for a trace without running answers. */
export function runningView(stage: Stage): View | null {
  const { answers } = stage.trace;
  if (!answers?.running) return null;
  const words = wordsOf(stage.trace);
  const { names, chances } = answers;
  const end = chances.at(-1)!;
  let label = end.indexOf(Math.max(...end));
  // Of two labels that exclude each other the middle is where neither leads.
  const two = names.length === 2 && chances.every((row) => Math.abs(row[0] + row[1] - 1) < 1e-3);

  const blocks = words.map((word) => {
    const bar = h('i', {});
    const change = h('small', {});
    const block = h('span', { role: 'option', class: 'answered', click: () => stage.go(word.last) },
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
      const { bar, change } = blocks[k];
      const [low, high] = two ? [Math.min(p, 0.5), Math.max(p, 0.5)] : [0, p];
      bar.style.bottom = `${100 * low}%`;
      bar.style.height = `${100 * (high - low)}%`;
      bar.classList.toggle('against', two && p < 0.5);
      change.textContent = points(moved[k]) || '·';
      change.className = moved[k] !== null && Math.abs(moved[k]!) >= NOTED ? (moved[k]! > 0 ? 'up' : 'down') : '';
    });
    const found = inWords(words, answers!, label);
    finding.textContent = found;
    list.setAttribute('aria-label', `The answer under each word. ${found} Arrow keys move.`);
    say();
  }

  function say(): void {
    const k = wordAt(words, stage.now.step);
    const p = chances[words[k].last][label];
    const moved = changes(words, answers!, label)[k];
    here.textContent = `After ${quoted(words[k].text)}: ${names[label]} ${percent(p)}%${moved === null ? '' : `, ${told(moved)} by this word`}.`;
    blocks.forEach(({ block }, place) => {
      block.classList.toggle('here', place === k);
      block.setAttribute('aria-selected', String(place === k));
    });
    reveal(list, blocks[k].block);
  }

  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'The answer, word by word'),
      h('p', { class: 'controls' }, h('span', { class: 'pick' }, 'How probable is '), pick), list, finding, here),
    redraw: () => show(label),
    update: say,
  };
}

const told = (moved: number) =>
  Math.abs(moved) < 0.005 ? 'unchanged' : `${moved > 0 ? 'up' : 'down'} ${percent(Math.abs(moved))} points`;

/** Where the answer ends, and the word that changed it most. */
export function inWords(words: Word[], answers: TraceAnswers, label: number): string {
  const end = `The text ends at ${answers.names[label]} ${percent(answers.chances.at(-1)![label])}%.`;
  const sizes = changes(words, answers, label).map((moved) => Math.abs(moved ?? 0));
  const most = sizes.indexOf(Math.max(...sizes));
  if (!(sizes[most] >= NOTED)) return `${end} No word changed it by ${100 * NOTED} points.`;
  return `${end} ${quoted(words[most].text)} changed it most: ${told(changes(words, answers, label)[most]!)}.`;
}
