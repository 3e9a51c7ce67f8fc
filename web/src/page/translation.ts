// What a translator made of some lines: each beside what is right.
import { h } from '../shared/dom';
import type { TranslatedLine, TranslationPanel } from '../shared/records';

export const isRight = ({ said, right }: TranslatedLine) => said === right;

/** How many lines are right. */
export function summary(lines: TranslatedLine[]): string {
  const right = lines.filter(isRight).length;
  return `${right === lines.length ? `All ${right} are` : `${right} of ${lines.length} are`} exactly right.`;
}

export function translationPanel({ name, story, lines }: TranslationPanel): HTMLElement {
  return h(
    'div',
    { class: 'card translated' },
    h('h3', {}, name),
    h('p', { class: 'story' }, story),
    h(
      'table',
      { role: 'table' },
      h('caption', {}, summary(lines)),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' },
        ...['Written', 'Translated', 'Language'].map((text) => h('th', { scope: 'col', role: 'columnheader' }, text)))),
      h('tbody', { role: 'rowgroup' }, ...lines.map(row)),
    ),
  );
}

function row(line: TranslatedLine): HTMLElement {
  const right = isRight(line);
  return h(
    'tr',
    { role: 'row', class: right ? 'right' : 'wrong' },
    h('th', { scope: 'row', role: 'rowheader' }, h('bdi', { lang: line.code || null }, line.source)),
    h('td', { role: 'cell', class: 'said' }, h('bdi', {}, line.said || '(nothing)'), ' ',
      h('span', { class: 'mark-of', 'aria-hidden': 'true' }, right ? '✓' : '✗'), h('span', { class: 'unseen' }, right ? 'right' : 'wrong'),
      right ? null : h('small', {}, 'right is ', h('bdi', {}, line.right))),
    h('td', { role: 'cell', class: 'language' }, line.language, line.remark ? h('small', {}, line.remark) : null),
  );
}
