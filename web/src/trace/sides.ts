// Which of the two sequences of a translation the views of the network show: the one that has the cursor.
import { choice, h } from '../shared/dom';
import type { Pair } from './pair';
import type { Stage, View } from './stage';

export interface Sides extends View {
  /** The views of one sequence, seen while it has the cursor. */
  around(stage: Stage, views: View[]): HTMLElement;
}

export function sidesView(pair: Pair): Sides {
  const named = { target: pair.target, source: pair.source };
  const picks = choice('Sequence', [{ value: 'target', text: 'the decoder, along the translation' }, { value: 'source', text: 'the encoder, along the source' }],
    'target', (value) => pair.take(named[value as keyof typeof named]));
  const boxes = new Map<Stage, HTMLElement>();
  const update = () => {
    boxes.forEach((box, stage) => (box.hidden = stage !== pair.leads));
    for (const [name, stage] of Object.entries(named)) picks.querySelector<HTMLInputElement>(`[value=${name}]`)!.checked = stage === pair.leads;
  };
  return {
    element: h('div', { class: 'sides' }, h('span', { class: 'quiet' }, 'Step by step in'), picks),
    around(stage, views) {
      const box = h('div', { class: 'side' }, ...views.map((view) => view.element));
      boxes.set(stage, box);
      return box;
    },
    redraw: () => undefined,
    update,
  };
}
