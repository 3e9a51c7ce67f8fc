// A sound that was heard as it came: what was understood when, and below it the sound with what the network made of it.
import { h } from '../shared/dom';
import { fixed } from '../shared/format';
import type { SpeechPanel } from '../shared/records';
import { soundPage } from '../trace/trace';

export function speechPanel({ name, story, said, right, so_far, trace }: SpeechPanel): Node[] {
  const isRight = said === right;
  const row = (kind: string, when: string, ...heard: (Node | string | null)[]) =>
    h('tr', { class: kind }, h('th', { scope: 'row' }, when), h('td', {}, ...heard));
  const table = h('table', {},
    h('thead', {}, h('tr', {}, ...['after', 'heard'].map((head) => h('th', { scope: 'col' }, head)))),
    h('tbody', {},
      ...so_far.map(({ seconds, text }) => row('', `${fixed(seconds, 1)} s`, text || '…')),
      row(isRight ? 'right' : 'wrong', 'the end', h('b', {}, said || '(nothing)'), ' ',
        h('span', { class: 'mark-of', 'aria-hidden': 'true' }, isRight ? '✓' : '✗'),
        h('span', { class: 'unseen' }, isRight ? 'right' : 'wrong'),
        isRight ? null : h('small', {}, `spoken was ${right}`))));
  const card = h('div', { class: 'card heard-so-far' }, h('h3', {}, name), h('p', { class: 'story' }, story), table);
  return trace ? [card, soundPage(trace)] : [card];
}
