// What a translator made of some lines, each beside what is right; and of the line that is chosen, where it looked.
import { h, uid } from '../shared/dom';
import type { TraceRecord, TranslatedLine, TranslationPanel } from '../shared/records';
import { offerSaving } from '../shared/save';
import { alignmentPage } from '../trace/trace';

export const isRight = ({ said, right }: TranslatedLine) => said === right;

/** How many lines are right. */
export function summary(lines: TranslatedLine[]): string {
  const right = lines.filter(isRight).length;
  return `${right === lines.length ? `All ${right} are` : `${right} of ${lines.length} are`} exactly right.`;
}

export function translationPanel({ name, story, lines }: TranslationPanel): Node[] {
  const shown = h('div', { class: 'alignment' });
  const pages = new Map<TranslatedLine, HTMLElement>();
  const show = (line: TranslatedLine) => {
    const known = pages.get(line);
    const page = known ?? h('div', {}, alignmentPage(line.trace!), notesOf(line.trace!));
    pages.set(line, page);
    shown.replaceChildren(page);
    // The first one gets its buttons with the whole report.
    if (!known && pages.size > 1) offerSaving(shown);
  };
  const first = lines.find(({ trace }) => trace);
  if (first) show(first);
  const group = uid('line');
  const table = h(
    'div',
    { class: 'card translated' },
    h('h3', {}, name),
    h('p', { class: 'story' }, story),
    h(
      'table',
      // The roles are said aloud because a phone's layout (display: grid) would drop them.
      { role: 'table' },
      h('caption', {}, summary(lines), first ? ' Choose one to see below where each step of its answer looked.' : ''),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' },
        ...['Written', 'Translated', 'Language'].map((text) => h('th', { scope: 'col', role: 'columnheader' }, text)))),
      h('tbody', { role: 'rowgroup' }, ...lines.map((line) => {
        const choice = line.trace ? h('input', { type: 'radio', name: group, checked: line === first, change: () => show(line) }) : null;
        return row(line, choice);
      })),
    ),
  );
  return first ? [table, shown] : [table];
}

function notesOf({ notes, source }: TraceRecord): HTMLElement {
  return h('p', { class: 'quiet notes-of' }, [...notes, ...(source?.notes ?? [])].join(' '));
}

function row(line: TranslatedLine, choice: HTMLInputElement | null): HTMLElement {
  const right = isRight(line);
  return h(
    'tr',
    { role: 'row', class: right ? 'right' : 'wrong', click: (event: MouseEvent) => (event.target as Element).closest('label') || choice?.click() },
    h('th', { scope: 'row', role: 'rowheader' }, h('label', {}, choice, h('bdi', { lang: line.code || null }, line.source))),
    h('td', { role: 'cell', class: 'said' }, h('bdi', {}, line.said || '(nothing)'), ' ',
      h('span', { class: 'mark-of', 'aria-hidden': 'true' }, right ? '✓' : '✗'), h('span', { class: 'unseen' }, right ? 'right' : 'wrong'),
      right ? null : h('small', {}, 'right is ', h('bdi', {}, line.right))),
    h('td', { role: 'cell', class: 'language' }, line.language, line.remark ? h('small', {}, line.remark) : null),
  );
}
