// The table that says where the network wins and where it loses, in words.
import { h, s } from '../shared/dom';
import { fixed, listed } from '../shared/format';
import type { ScoreRow } from '../shared/records';

type Kind = 'wins' | 'loses' | 'tie';
const SIGN: Record<Kind, string> = { wins: '▲', loses: '▼', tie: '=' };

export function kindOf(row: ScoreRow): Kind {
  if (/lose|loss|lost/i.test(row.verdict)) return 'loses';
  return /win|won/i.test(row.verdict) ? 'wins' : 'tie';
}

/** One sentence: how many, and by name what was lost. */
export function summary(scores: ScoreRow[]): string {
  const of = (kind: Kind) => scores.filter((row) => kindOf(row) === kind);
  const parts = [`The network wins ${of('wins').length} of ${scores.length} comparisons with a simple rival`];
  if (of('tie').length) parts.push(`ties ${of('tie').length}`);
  parts.push(of('loses').length ? `loses ${of('loses').length}` : 'loses none');
  const lost = of('loses').map((row) => row.task);
  return `${listed(parts)}${lost.length ? `: it loses on “${lost.join('” and on “')}”` : ''}.`;
}

export function scoreTable(scores: ScoreRow[]): HTMLElement {
  return h(
    'div',
    { class: 'card scores' },
    h(
      'table',
      // The roles are said aloud because a phone's layout (display: grid) would drop them.
      { role: 'table' },
      h('caption', {}, summary(scores)),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' },
        h('th', { scope: 'col', role: 'columnheader' }, 'Task'),
        h('th', { scope: 'col', role: 'columnheader', class: 'num' }, 'Network'),
        h('th', { scope: 'col', role: 'columnheader', class: 'num' }, 'Simple rival'),
        h('th', { scope: 'col', class: 'wide', 'aria-hidden': 'true' }, 'Network ÷ rival'),
        h('th', { scope: 'col', role: 'columnheader' }, 'Verdict'))),
      h('tbody', { role: 'rowgroup' }, ...scores.map(scoreRow)),
    ),
    h('p', { class: 'quiet' }, 'Both were scored on the same held-out data, which neither had seen.'),
  );
}

function scoreRow(row: ScoreRow): HTMLElement {
  const kind = kindOf(row);
  const decimals = Math.max(Math.abs(row.network ?? 0), Math.abs(row.baseline ?? 0)) >= 100 ? 1 : 3;
  return h(
    'tr',
    { class: kind, role: 'row' },
    h('th', { scope: 'row', role: 'rowheader' }, row.task,
      h('small', {}, `${row.metric}, ${row.lower_is_better ? 'lower' : 'higher'} is better`),
      row.detail ? h('small', {}, row.detail) : null),
    h('td', { class: 'num', role: 'cell', 'data-name': 'network' }, h('b', {}, fixed(row.network, decimals))),
    h('td', { class: 'num', role: 'cell', 'data-name': 'rival' }, fixed(row.baseline, decimals), h('small', {}, row.baseline_name)),
    h('td', { class: 'wide', 'aria-hidden': 'true' }, ratio(row)),
    h('td', { role: 'cell' }, h('span', { class: `verdict ${kind}` }, h('span', { 'aria-hidden': 'true' }, `${SIGN[kind]} `), row.verdict)),
  );
}

/** A bar away from 1: towards the left is below the rival's score, towards the right is above. */
function ratio(row: ScoreRow): Node {
  if (row.network === null || !row.baseline) return document.createTextNode('–');
  const value = row.network / row.baseline;
  const [width, height, span] = [150, 26, 0.5];
  const middle = width / 2;
  const end = middle + (Math.max(-span, Math.min(span, value - 1)) / span) * (middle - 34);
  const left = end < middle;
  return s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, class: 'ratio' },
    s('rect', { x: Math.min(middle, end), y: 8, width: Math.max(1, Math.abs(end - middle)), height: 10, rx: 2 }),
    s('line', { x1: middle, x2: middle, y1: 3, y2: height - 3 }),
    s('text', { x: end + (left ? -5 : 5), y: 13, dy: '0.34em', 'text-anchor': left ? 'end' : 'start' }, `×${fixed(value, 2)}`));
}
