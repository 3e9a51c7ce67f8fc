// Words that sound alike: those of a transcript in a row; of the chosen one its rivals, what speaks for each, and why they lost.
import { h, s } from '../shared/dom';
import { fixed, number, quoted } from '../shared/format';
import type { AlikeRival, AlikeWord } from '../shared/records';
import { stepAt } from './player';
import type { Stage, View } from './stage';

/** Nats that a rival may be behind to be called close. */
const CLOSE = 10;
/** Of the part of a bar that stands on either side of its middle, in pixels. */
const HALF = 46;
const PARTS = [['acoustic', 'sound'], ['language', 'language'], ['hot', 'hot words'], ['second', 'second pass'], ['total', 'all']] as const;

export const isClose = ({ rivals }: AlikeWord) => rivals.length > 0 && rivals[0].margin <= CLOSE;

/** The place of the word that was won by the least; the first where none has a rival. */
export function closest(words: AlikeWord[]): number {
  const margins = words.map(({ rivals }) => rivals[0]?.margin ?? Infinity);
  return Math.max(0, margins.indexOf(Math.min(...margins)));
}

/** The parts that say anything of some rivals; the sound and all together always do. */
export const partsOf = (rivals: AlikeRival[]) =>
  PARTS.filter(([part]) => part === 'acoustic' || part === 'total' || rivals.some((one) => one[part] !== 0));

/** `after “to” 36 : 1; before “a” 3 : 1`; empty where no other word would have turned it. */
export function contextsInWords({ contexts }: AlikeRival): string {
  return contexts.map(({ side, word, odds }) => `${side} ${quoted(word)} ${odds > 1e6 ? 'over a million' : number(odds, 2)} : 1`).join('; ');
}

/** Null for a trace without words. */
export function alikeView(stage: Stage): View | null {
  const { alike, spectrogram } = stage.trace;
  if (!alike?.length || !spectrogram) return null;
  const { values, hop, path } = spectrogram;
  const seconds = (values.length * hop) / path.length;
  const shown = h('div', { class: 'alike', 'aria-live': 'polite' });
  const buttons = alike.map((word, at) => h('button', { type: 'button', class: isClose(word) ? 'close' : '', click: () => {
    choose(at);
    stage.go(stepAt(word.start, seconds, stage.steps));
  } }, word.text));

  function choose(at: number): void {
    buttons.forEach((button, k) => button.setAttribute('aria-pressed', String(k === at)));
    const { text, rivals, why } = alike![at];
    shown.replaceChildren(h('p', { class: 'saying' }, h('b', {}, text), `: ${why}.`), ...(rivals.length ? [table(rivals)] : []));
  }

  choose(closest(alike));
  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'Words that sound alike'),
      h('p', { class: 'quiet' }, `Underlined: a rival is within ${CLOSE} nats. A bar to the left speaks for the word that was heard, one to the right for its rival.`),
      h('div', { class: 'alike-words', role: 'group', 'aria-label': 'The words that were heard' }, ...buttons), shown),
    redraw: () => {},
    update: () => {},
  };
}

function table(rivals: AlikeRival[]): HTMLElement {
  const parts = partsOf(rivals);
  const most = Math.max(1, ...rivals.flatMap((one) => parts.map(([part]) => Math.abs(one[part]))));
  const rows = rivals.map((one) => h('tr', {},
    h('th', { scope: 'row' }, one.text, h('small', {}, one.how)),
    ...parts.map(([part]) => h('td', {}, bar(one[part], most), fixed(one[part], 1))),
    h('td', {}, contextsInWords(one) || '–')));
  return h('div', { class: 'scroll' }, h('table', { class: 'numbers' },
    h('caption', { class: 'unseen' }, 'Rivals, in nats'),
    h('thead', {}, h('tr', {}, ...['rival', ...parts.map(([, name]) => `${name} (nats)`), 'it would have won'].map((head) => h('th', { scope: 'col' }, head)))),
    h('tbody', {}, ...rows)));
}

function bar(value: number, most: number): SVGSVGElement {
  const wide = (HALF * Math.abs(value)) / most;
  return s('svg', { width: 2 * HALF + 2, height: 14, 'aria-hidden': 'true' },
    s('rect', { class: value > 0 ? 'for-rival' : 'for-heard', x: HALF + 1 - (value > 0 ? 0 : wide), y: 2, width: wide, height: 10, rx: 2 }),
    s('line', { x1: HALF + 1, x2: HALF + 1, y1: 0, y2: 14 }));
}
