// The step under the cursor in words, and the unit's equation with its own numbers.
import { h } from '../shared/dom';
import { fixed, percent, quoted } from '../shared/format';
import { equations } from './equations';
import { nameOf, type Stage, type View } from './stage';

export function readingView(stage: Stage): View {
  const { trace, now } = stage;
  const element = h('div', { class: 'reading', 'aria-live': 'polite' });

  function words(): Node[] {
    const { step } = now;
    const came = trace.inputs[step + 1];
    const said: Node[] = [h('b', {}, `Step ${step + 1} of ${stage.steps}: `)];
    const say = (text: string) => said.push(document.createTextNode(text));
    say(`read ${quoted(trace.inputs[step])}. `);
    if (trace.expected) {
      const { choices, chances } = trace.expected;
      const best = choices[step].slice(0, 3).map((name, k) => `${quoted(name)} ${percent(chances[step][k])}%`);
      say(`It expects ${best.join(', ')}. `);
    }
    const cost = trace.losses?.[step];
    if (came !== undefined && cost !== undefined && Number.isFinite(cost)) say(`Then came ${quoted(came)}, which cost ${fixed(cost, 2)} nats. `);
    if (trace.answers) {
      const { names, chances } = trace.answers;
      const best = Array.from(chances[step], (p, k) => [p, names[k]] as const).sort((a, b) => b[0] - a[0]).slice(0, 3);
      say(`The answer here: ${best.map(([p, name]) => `${name} ${percent(p)}%`).join(', ')}. `);
    }
    return said;
  }

  return {
    element,
    redraw: () => undefined,
    update() {
      const { layer } = stage;
      element.replaceChildren(
        h('p', {}, ...words()),
        h('p', { class: 'quiet' }, `Unit ${layer.units[now.unit]} of ${nameOf(layer)}:`),
        ...equations(layer, now.step, now.unit).map((text) => h('p', { class: 'equation' }, text)));
    },
  };
}
