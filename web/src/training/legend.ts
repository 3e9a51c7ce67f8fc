// Which runs are shown, and over what.
import { choice, h } from '../shared/dom';
import { colourOf, type Board, type Over, type View } from './board';
import { clippedInWords, runInWords } from './words';

/** One line a run; of several each can be hidden. */
export function legendView(board: Board): View {
  const list = h('ul', { class: 'runs-legend' });
  return {
    element: list,
    redraw() {
      const focused = (list.getRootNode() as Document | ShadowRoot).activeElement;
      const kept = [...list.querySelectorAll('input')].indexOf(focused as HTMLInputElement);
      list.replaceChildren(...board.runs.map((run) => {
        const { record, place } = run;
        const told = [runInWords(record), clippedInWords(record)].filter((part) => part !== null).join('; ');
        const line = h('span', { class: 'quiet' }, ` ${told}.`);
        if (!board.several) return h('li', {}, h('span', { class: `run-swatch ${colourOf(run)}` }), line);
        return h('li', {}, h('label', {},
          h('input', { type: 'checkbox', checked: !board.hidden.has(place), change: () => board.toggle(place) }),
          h('span', { class: `run-swatch ${colourOf(run)}` }), h('b', {}, record.name)), line);
      }));
      if (kept >= 0) list.querySelectorAll('input')[kept]?.focus();
    },
    update: () => undefined,
  };
}

export function controlsView(board: Board): View {
  const axis = h('span', { class: 'pick runs-axis' });
  let offered = '';
  return {
    element: h('div', { class: 'controls' }, axis,
      choice('Vertical axis', [{ value: '', text: 'linear' }, { value: 'log', text: 'logarithmic' }], '', (value) => board.scale(value === 'log'))),
    redraw() {
      const { axes } = board;
      if (offered === axes.join()) return;
      offered = axes.join();
      axis.replaceChildren('over ', choice('Horizontal axis', axes.map((value) => ({ value, text: value })), board.over,
        (value) => board.along(value as Over)));
    },
    update: () => undefined,
  };
}
