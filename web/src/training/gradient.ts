// The gradient through time, look by look: what is left, step by step back, of a gradient that enters at the last step of
// a sequence; and how large the gradient of the whole loss is by the state of each step.
import { bisectCenter } from 'd3-array';
import { atWidth, choice, h, uid } from '../shared/dom';
import { number } from '../shared/format';
import type { GradientProfile } from '../shared/records';
import { colourOf, type Board, type Run, type View } from './board';
import { drawCarried } from './gradient_carried';
import { drawProfiles } from './gradient_profile';
import { fromTheLast, ofTheWhole, verdictOf } from './gradient_words';

/** A profile of a run, of the look that is nearest to the training step that is chosen. */
export interface Seen {
  run: Run;
  step: number;
  profile: GradientProfile;
}

export interface Gradients {
  board: Board;
  /** The layer that is shown, by its name. */
  where: string;
  /** The training step that is chosen. */
  step: number;
  /** Of a gradient that enters at the last step alone, or of the whole loss. */
  of: 'last' | 'loss';
  choose(step: number): void;
}

const CAPTIONS = {
  last: 'What is left of a gradient that enters at the last step',
  loss: 'By the state of each step, all paths through time in it',
};

export function gradientView(board: Board): View {
  let step: number | null = null; // null: the last one, as the run grows
  let where = '';
  let offered = '';
  let of: Gradients['of'] = 'last';
  const layers = h('select', { 'aria-label': 'Layer', change: () => {
    where = layers.value;
    draw();
  } });
  const pick = h('span', { class: 'pick' }, 'Layer ', layers);
  const kinds = choice('Which gradient', [{ value: 'last', text: 'from the last step' }, { value: 'loss', text: 'of the whole loss' }], of, (value) => {
    of = value as Gradients['of'];
    draw();
  });
  const id = uid('look');
  const slider = h('input', { type: 'range', id, min: 0, step: 1, input: () => choose(stepsOf(board)[Number(slider.value)]) });
  const at = h('span', { class: 'where', role: 'status' });
  const stepper = h('div', { class: 'stepper' }, h('label', { for: id, class: 'unseen' }, 'Step of the training'), slider, at);
  const saying = h('div', { class: 'saying' });
  const [profiles, carried] = [h('div', {}), h('div', {})];
  const caption = h('figcaption', {});
  const none = h('p', { class: 'quiet' }, 'No look into the network yet: the training looks at its first step, and then every few hundred.');
  const body = h('div', {}, h('div', { class: 'controls' }, kinds, pick), stepper, saying,
    h('div', { class: 'gradient-pair' },
      h('figure', {}, caption, profiles),
      h('figure', {}, h('figcaption', {}, 'What reaches the first step from the last, over the training'), carried)));
  const widths = [0, 0];
  [profiles, carried].forEach((box, nth) => atWidth(box, (width) => {
    widths[nth] = width;
    draw();
  }));

  function choose(to: number): void {
    step = to === stepsOf(board).at(-1) ? null : to;
    draw();
  }

  function draw(): void {
    const steps = stepsOf(board);
    const names = [...new Set(board.shown.flatMap(({ record }) => record.looks.flatMap((look) => look.layers.map((layer) => layer.where))))];
    body.hidden = !names.length;
    none.hidden = names.length > 0;
    if (!names.length) return;
    if (!names.includes(where)) where = names.at(-1)!;
    pick.hidden = names.length < 2;
    if (names.join('\n') !== offered) layers.replaceChildren(...names.map((name) => h('option', { value: name }, name)));
    offered = names.join('\n');
    layers.value = where;
    const now = step ?? steps.at(-1)!;
    slider.hidden = steps.length < 2;
    slider.max = String(steps.length - 1);
    slider.value = String(bisectCenter(steps, now));
    slider.setAttribute('aria-valuetext', `step ${number(now, 9)}`);
    at.replaceChildren('Training step ', h('b', {}, number(now, 9)));
    const seen = seenAt(board, where, now);
    // A log of an earlier version does not tell the way back.
    const told = seen.some(({ profile }) => profile.back.length > 0);
    kinds.hidden = !told;
    const gradients: Gradients = { board, where, step: now, of: told ? of : 'loss', choose };
    caption.textContent = CAPTIONS[gradients.of];
    saying.replaceChildren(...seen.map((one) => sentence(board, one, gradients.of)));
    if (widths[0]) profiles.replaceChildren(drawProfiles(gradients, seen, widths[0]));
    if (widths[1]) carried.replaceChildren(drawCarried(gradients, widths[1]));
  }

  return {
    element: h('section', { class: 'card gradient-card' }, h('h3', {}, 'Gradient through time'), none, body),
    redraw: draw,
    update: () => undefined,
  };
}

/** The training steps at which any run that is shown was looked at. */
function stepsOf(board: Board): number[] {
  const steps = new Set(board.shown.flatMap(({ record }) => record.looks.map((look) => look.step)));
  return [...steps].sort((a, b) => a - b);
}

function seenAt(board: Board, where: string, step: number): Seen[] {
  return board.shown.flatMap((run) => {
    const looks = run.record.looks.filter((look) => look.layers.some((layer) => layer.where === where));
    if (!looks.length) return [];
    const look = looks[bisectCenter(looks.map((one) => one.step), step)];
    return [{ run, step: look.step, profile: look.layers.find((layer) => layer.where === where)! }];
  });
}

function sentence(board: Board, { run, profile }: Seen, of: Gradients['of']): HTMLElement {
  const text = of === 'last' ? fromTheLast(profile) : ofTheWhole(profile);
  const verdict = verdictOf(profile, of, run.record.vanished);
  return h('p', { class: 'gradient-said' },
    board.several ? h('b', { class: `said-name ${colourOf(run)}` }, `${run.record.name}: `) : null,
    `${board.several ? text : text.charAt(0).toUpperCase() + text.slice(1)}. `, verdict);
}
