// The curves as a table: a row for each validation, or some of the steps where there is none.
import { bisectRight } from 'd3-array';
import { h } from '../shared/dom';
import { duration, number } from '../shared/format';
import type { Board, Run, View } from './board';
import { size } from './words';

const ROWS = 20;

export function runTableView(board: Board): View {
  const body = h('tbody', {});
  const names = [...(board.several ? ['run'] : []), 'step', 'time', 'loss, smoothed', 'held out', 'learning rate', 'norm of the gradient', 'clipped'];
  const head = h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name))));
  return {
    element: h('details', {}, h('summary', {}, 'As a table'),
      h('div', { class: 'scroll' }, h('table', { class: 'numbers run-numbers' }, head, body))),
    redraw: () => body.replaceChildren(...board.shown.flatMap((run) => rowsOf(board, run))),
    update: () => undefined,
  };
}

function rowsOf(board: Board, run: Run): HTMLElement[] {
  const { record } = run;
  const last = record.steps.length - 1;
  if (last < 0) return [];
  const scored = record.validation.map((one) => ({ k: Math.min(last, bisectRight(record.steps, one.step - 1)), step: one.step, score: one.score as number | null }));
  const count = Math.min(ROWS, last + 1);
  const even = Array.from({ length: count }, (_, row) => {
    const k = count === 1 ? 0 : Math.round((row * last) / (count - 1));
    return { k, step: record.steps[k], score: null as number | null };
  });
  return (scored.length ? scored : even).map(({ k, step, score }) => {
    const clipped = record.clipped[k];
    const cells = [
      record.seconds[k] === null ? '–' : duration(record.seconds[k]),
      size(run.smooth[k], 4), size(score, 4), size(record.rate[k]), size(record.norm[k]),
      clipped === null ? '–' : clipped === 0 ? 'no' : clipped === 1 ? 'yes' : `${Math.round(100 * clipped)}%`,
    ];
    return h('tr', {}, board.several ? h('td', {}, record.name) : null,
      h('th', { scope: 'row' }, number(step, 9), step === record.best ? h('b', {}, ' best') : null),
      ...cells.map((cell) => h('td', {}, cell)));
  });
}
