// What the character model wrote, and how well it reads.
import { h } from '../shared/dom';
import { duration, fixed, number } from '../shared/format';
import type { TextPanel } from '../shared/records';

export function textPanel(text: TextPanel): HTMLElement {
  const figure = (value: string, what: string, more = '') =>
    h('div', {}, h('dt', {}, what), h('dd', {}, h('b', {}, value), more ? h('small', {}, more) : null));
  const loses = text.bits_per_character !== null && text.baseline_bits !== null && text.bits_per_character > text.baseline_bits;
  return h(
    'div',
    { class: 'card text' },
    h(
      'figure',
      {},
      h('figcaption', {}, 'The marked words were given; the network wrote the rest, one character at a time.'),
      h('pre', { tabindex: 0 }, h('mark', {}, text.prompt), text.sample),
    ),
    h(
      'dl',
      { class: 'figures' },
      figure(fixed(text.bits_per_character, 3), 'bits per character', 'of held-out text; lower is better'),
      figure(fixed(text.baseline_bits, 3), text.baseline_name,
        text.baseline_bits === null ? '' : loses ? 'the simple rival is better here' : 'the network is better here'),
      figure(duration(text.seconds), 'training time'),
      figure(number(text.temperature), 'temperature', 'lower is safer, higher is wilder'),
    ),
  );
}
