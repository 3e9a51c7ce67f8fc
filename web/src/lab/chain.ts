// The folded cell with its loop opens into the chain of steps; the state flows to the right. Drawn with network B's own states.
import { atWidth, h, s } from '../shared/dom';
import { visible } from '../shared/format';
import { colour, palette } from '../shared/heat';
import type { Facts, LabRecord } from './records';

const [BOX, GAP, TILE, SIDE] = [56, 30, 11, 4];
const [HIGH, MIDDLE] = [250, 138];
/** For the names of the rows. */
const LEFT = 72;
/** Where each row of text stands. */
const [ROW_A, ROW_B, ROW_READ] = [24, MIDDLE - 58, MIDDLE + 86];
const OPENING = 1100; // milliseconds
const PACE = 700; // of a step

export interface Chain {
  element: HTMLElement;
  update: (facts: Facts, record: LabRecord) => void;
}

export function chain(): Chain {
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const frame = h('div', { class: 'chain-frame scroll' });
  const opener = h('button', { type: 'button', class: 'wide', click: () => unfold(goal === 0) }, 'Open the loop');
  const player = h('button', { type: 'button', class: 'wide', click: () => play(timer === 0) }, 'Play');
  const told = h('p', { class: 'finding', 'aria-live': 'polite' });
  let latest: [Facts, LabRecord] | null = null;
  let [width, open, goal, step, timer, moving] = [0, 0, 0, 0, 0, 0];

  const count = () => Math.max(2, Math.min(latest?.[0].inputs.length ?? 2, Math.floor((Math.max(width, 640) - LEFT - 20) / (BOX + GAP))));

  function unfold(opening: boolean): void {
    goal = opening ? 1 : 0;
    opener.textContent = opening ? 'Fold it again' : 'Open the loop';
    cancelAnimationFrame(moving);
    const [from, began] = [open, performance.now()];
    const tick = (now: number) => {
      const share = still.matches ? 1 : Math.min(1, (now - began) / OPENING);
      open = from + (goal - from) * (share < 0.5 ? 2 * share * share : 1 - 2 * (1 - share) ** 2);
      draw();
      if (share < 1) moving = requestAnimationFrame(tick);
    };
    moving = requestAnimationFrame(tick);
  }

  function play(on: boolean): void {
    window.clearInterval(timer);
    timer = 0;
    player.textContent = on ? 'Stop' : 'Play';
    if (!on) return draw();
    timer = window.setInterval(() => {
      // A chain that has left the page plays no longer.
      if (!frame.isConnected) play(false);
      else go((step + 1) % count());
    }, PACE);
  }

  function go(to: number): void {
    step = to;
    draw();
  }

  frame.addEventListener('keydown', (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    play(false);
    go(Math.max(0, Math.min(count() - 1, step + by)));
    frame.querySelector('svg')?.focus();
  });

  function draw(): void {
    if (!latest || !width) return;
    const steps = count();
    step = Math.min(step, steps - 1);
    const focused = frame.contains((frame.getRootNode() as Document | ShadowRoot).activeElement);
    frame.replaceChildren(picture(latest[0], latest[1], steps, step, open, timer ? 0.3 : 1, width, palette(dark.matches)));
    if (focused) frame.querySelector('svg')?.focus();
    const { look } = latest[1].students[1];
    const words = `Step ${step + 1}: it reads “${visible(latest[0].inputs[step])}” with ${step ? `the state of step ${step}` : 'an empty state'}, and guesses “${visible(look.answers[step])}”; wanted was “${visible(latest[0].targets[step])}”.`;
    if (told.textContent !== words) told.textContent = words;
  }

  dark.addEventListener('change', draw);
  atWidth(frame, (now) => {
    width = now;
    draw();
  });
  return {
    element: h('article', { class: 'card chain' }, h('h3', {}, 'The loop and its unfolding'),
      h('div', { class: 'controls' }, opener, player, h('span', { class: 'quiet' }, 'or ← and → on the chain')), frame, told),
    update(facts, record) {
      latest = [facts, record];
      if (!moving || open === goal) draw();
    },
  };
}

/** `ahead` is how visible the steps after the current one are. */
function picture(facts: Facts, record: LabRecord, steps: number, now: number, open: number, ahead: number, width: number, colours: string[]): SVGSVGElement {
  const full = Math.max(width, LEFT + steps * (BOX + GAP) + 20);
  // Folded, there is room for what is written beside the loop.
  const centre = Math.min((LEFT + width) / 2, width - BOX / 2 - 140);
  const start = LEFT + (full - LEFT - steps * (BOX + GAP) + GAP) / 2 + BOX / 2;
  const at = (step: number) => centre + (start + step * (BOX + GAP) - centre) * open;
  const looks = record.students.map((one) => one.look);
  const folded = 1 - open;
  const svg = s('svg', {
    class: 'chain-svg', tabindex: 0, width: open > 0.02 ? full : width, height: HIGH, viewBox: `0 0 ${open > 0.02 ? full : width} ${HIGH}`, role: 'img',
    'aria-label': open > 0.5
      ? `The same cell at ${steps} steps. It reads ${facts.inputs.slice(0, steps).map(visible).join(' ')} and guesses ${looks[1].answers.slice(0, steps).map(visible).join(' ')}.`
      : 'One cell whose state goes back into itself.',
  });
  // The cell of the current step lies on top while all are in one place.
  const order = Array.from({ length: steps }, (_, step) => step).sort((a, b) => Number(a === now) - Number(b === now));
  for (const step of order) {
    const shown = step === now ? 1 : step > now ? open * ahead : open;
    if (shown < 0.02) continue;
    const x = at(step);
    const right = looks[1].right[step];
    const text = (y: number, value: string, kind: string) => s('text', { class: `symbol ${kind}`, x, y, 'text-anchor': 'middle' }, visible(value));
    const cell = s('g', { class: step === now ? 'cell here' : 'cell', opacity: shown },
      s('path', { class: 'arrow', d: `M${x},${MIDDLE + 66} V${MIDDLE + BOX / 2 + 3} m-4,6 l4,-6 l4,6` }),
      s('path', { class: 'arrow', d: `M${x},${MIDDLE - BOX / 2} V${MIDDLE - 50} m-4,6 l4,-6 l4,6` }),
      s('rect', { class: 'box', x: x - BOX / 2, y: MIDDLE - BOX / 2, width: BOX, height: BOX, rx: 9 }),
      ...tiles(looks[1].values, step, x, colours),
      text(ROW_READ, facts.inputs[step], 'read'),
      text(ROW_B, looks[1].answers[step], right ? 'right' : 'wrong'),
      s('text', { class: right ? 'tick-mark right' : 'tick-mark wrong', x: x + 12, y: ROW_B - 2 }, right ? '✓' : '✗'),
      s('text', { class: `symbol small ${looks[0].right[step] ? 'right' : 'wrong'}`, x, y: ROW_A, 'text-anchor': 'middle' }, `${visible(looks[0].answers[step])} ${looks[0].right[step] ? '✓' : '✗'}`));
    svg.append(cell);
    if (step + 1 < steps && open > 0.02) {
      const [from, to] = [x + BOX / 2, at(step + 1) - BOX / 2];
      if (to > from) svg.append(s('path', { class: step < now ? 'carry done' : 'carry', opacity: step < now ? open : open * ahead, d: `M${from + 1},${MIDDLE} H${to - 3} m-6,-4 l6,4 l-6,4` }));
    }
  }
  if (folded > 0.02) {
    const x = at(now);
    const edge = x + BOX / 2;
    svg.append(s('path', { class: 'carry', opacity: folded, d: `M${edge},${MIDDLE - 14} C${edge + 74},${MIDDLE - 64} ${edge + 74},${MIDDLE + 64} ${edge + 4},${MIDDLE + 14} m8,-2 l-8,2 l3,8` }),
      ...['the state', 'goes back in'].map((words, row) => s('text', { class: 'row-name', opacity: folded, x: edge + 62, y: MIDDLE - 3 + 15 * row }, words)));
  }
  const name = (y: number, words: string, kind = '') => s('text', { class: `row-name ${kind}`, x: 0, y }, words);
  svg.append(name(ROW_A, 'A guesses', 'of-0'), name(ROW_B, 'B guesses', 'of-1'), name(ROW_READ, 'both read'));
  if (facts.settings.students[0].cell === 'none') svg.append(name(ROW_A + 15, '(no loop)'));
  return svg;
}

/** The units that change most, in a square. */
function tiles(values: number[][], step: number, x: number, colours: string[]): SVGRectElement[] {
  const begin = -(SIDE * TILE) / 2;
  return values.slice(0, SIDE * SIDE).map((unit, place) => s('rect', {
    class: 'tile', x: x + begin + (place % SIDE) * TILE, y: MIDDLE + begin + Math.floor(place / SIDE) * TILE, width: TILE - 1, height: TILE - 1, rx: 2,
    fill: colour(unit[step] ?? 0, 100, colours),
  }));
}
