// The training of one or several runs, kept up to date where the page is live.
import { h } from '../shared/dom';
import type { Model } from '../shared/model';
import type { RunRecord } from '../shared/records';
import { Board } from './board';
import { findingsView } from './findings';
import { frameView } from './frame';
import { gradientView } from './gradient';
import { controlsView, legendView } from './legend';
import { runTableView } from './run_table';

/** The parts "run 0", "run 1", ... of the model are the runs anew. */
export function runsView(records: RunRecord[], model: Model): HTMLElement[] {
  const board = new Board(records);
  const [legend, controls, frame, table] = [legendView(board), controlsView(board), frameView(board), runTableView(board)];
  const [findings, gradient] = [findingsView(board), gradientView(board)];
  const status = h('p', { class: 'quiet runs-status', role: 'status', hidden: true });
  const notes = h('div', { class: 'quiet' });
  const card = h('section', { class: 'card runs-card' }, h('h3', {}, 'Loss'), status, legend.element, controls.element, frame.element, notes, table.element);

  const tell = () => {
    const every = Math.max(...board.runs.map(({ record }) => record.every));
    const told = board.runs.flatMap(({ record }) => record.notes);
    if (every > 1) told.unshift(`Each point of a curve stands for up to ${every} steps; behind it, from the lowest to the highest of them`);
    notes.replaceChildren(...told.map((note) => h('p', {}, `${note}.`)));
  };
  const callbacks: [string, () => void][] = records.map((_, place) => [`change:run ${place}`, () => {
    board.replace(place, model.get(`run ${place}`) as RunRecord);
    tell();
  }]);
  callbacks.push(['change:connected', () => {
    status.hidden = false;
    status.textContent = model.get('connected')
      ? 'Follows the log while this page is open.'
      : 'The program that served this page has ended; this is what it showed last.';
  }]);
  for (const [event, callback] of callbacks) {
    model.on(event, function listen() {
      // A report that was drawn anew has views of its own.
      if (card.isConnected) callback();
      else model.off(event, listen);
    });
  }
  tell();
  board.show([legend, controls, frame, table, findings, gradient]);
  return [card, findings.element, gradient.element];
}
