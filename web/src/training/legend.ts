// Which runs are shown, and over what.
import { choice, h } from '../shared/dom';
import { colourOf, type Board, type Over, type View } from './board';
import { clippedInWords, runInWords } from './words';

/** One line a run; of several each can be hidden. The boxes stay what they are while the run goes on: one may be held. */
export function legendView(board: Board): View {
  const lines = board.runs.map(() => h('span', { class: 'quiet' }));
  const items = board.runs.map((run) => {
    const swatch = h('span', { class: `run-swatch ${colourOf(run)}` });
    if (!board.several) return h('li', {}, lines[run.place]);
    return h('li', {}, h('label', {},
      h('input', { type: 'checkbox', checked: true, change: () => board.toggle(run.place) }), swatch, h('b', {}, run.record.name)), lines[run.place]);
  });
  const keys = keysOf(board);
  return {
    element: h('div', { class: 'runs-legend' }, h('ul', {}, ...items), keys),
    redraw() {
      keys.hidden = !board.scored;
      board.runs.forEach(({ record, place }) => {
        const told = [runInWords(record), clippedInWords(record)].filter((part) => part !== null).join('; ');
        lines[place].textContent = ` ${told}.`;
      });
    },
    update: () => undefined,
  };
}

/** What the two kinds of line are. */
function keysOf(board: Board): HTMLElement {
  const colour = board.several ? '' : ` ${colourOf(board.runs[0])}`;
  return h('p', { class: 'runs-keys quiet' },
    h('span', {}, h('span', { class: `run-swatch${colour}` }), ' training loss'),
    h('span', {}, h('span', { class: `run-swatch ${board.several ? 'held-dashed' : 'held-alone'}` }), ' held out; ringed: the best, whose weights are kept'));
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
