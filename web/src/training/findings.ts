// What was found in the network while it learnt, in words, with the remedy; numbered as on the curve.
import { h } from '../shared/dom';
import type { FoundSpan } from '../shared/records';
import { colourOf, type Board, type Run, type View } from './board';
import { kindOf, when } from './words';

export interface Numbered {
  run: Run;
  span: FoundSpan;
  nth: number;
}

/** All findings of all runs with the numbers that they have on the page. */
export function numbered(board: Board): Numbered[] {
  let nth = 0;
  return board.runs.flatMap((run) => run.record.findings.map((span) => ({ run, span, nth: (nth += 1) })));
}

export function findingsView(board: Board): View {
  const list = h('ol', { class: 'found' });
  const none = h('p', { class: 'quiet' });
  let drawn = '';
  return {
    element: h('section', { class: 'card' }, h('h3', {}, 'What was found on the way'), none, list),
    redraw() {
      const found = numbered(board).filter(({ run }) => !board.hidden.has(run.place));
      const looks = board.shown.some(({ record }) => record.looks.length);
      none.textContent = found.length ? '' : looks ? 'Nothing that keeps the network from learning was seen in any look.' : 'No look into the network yet.';
      none.hidden = found.length > 0;
      const now = JSON.stringify(found.map(({ span, nth }) => [nth, span]));
      if (now !== drawn) list.replaceChildren(...found.map((one) => item(board, one)));
      drawn = now;
    },
    update: () => undefined,
  };
}

function item(board: Board, { run, span, nth }: Numbered): HTMLElement {
  const go = () => board.lookAt(run.place, span.first);
  return h('li', { value: nth, class: `${colourOf(run)}${span.falling ? ' falling' : ''}` },
    h('button', { type: 'button', class: 'found-go', click: go, 'aria-label': `Finding ${nth}: show it on the curve` }, nth),
    h('div', {},
      h('p', { class: 'found-name' }, h('b', {}, kindOf(span)), ` ${span.where}`,
        h('span', { class: 'quiet' }, ` ${board.several ? `${run.record.name}, ` : ''}${when(span)}${span.falling ? '; the loss still fell' : ''}`)),
      h('p', {}, capital(span.measured)),
      span.remedy ? h('p', { class: 'remedy' }, h('b', {}, 'Remedy: '), span.remedy) : null));
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
