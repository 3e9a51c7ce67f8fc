// What was read, in the colours of one unit (Karpathy 2015, "The unreasonable effectiveness of recurrent neural networks").
import { h } from '../shared/dom';
import { fixed, number, quoted, visible } from '../shared/format';
import { colour } from '../shared/heat';
import { GATES, type Stage, type View } from './stage';

export function stripView(stage: Stage): View {
  const { trace, now } = stage;
  const tokens = trace.inputs.map((text, step) =>
    h('span', { role: 'option', click: () => stage.go(step) }, visible(text)));
  const strip = h('div', {
    class: 'strip', role: 'listbox', tabindex: 0, 'aria-label': `What was read, in ${stage.steps} steps. Arrow keys move.`,
  }, ...tokens);
  const legend = h('p', { class: 'quiet' });
  const element = h('section', {}, h('h3', {}, 'What was read, in the colours of one unit'), strip, legend);

  return {
    element,
    redraw() {
      const { colours, limit, values } = stage;
      values.forEach((value, step) => {
        tokens[step].style.background = colour(value, limit, colours);
        tokens[step].style.color = Math.abs(value) > 0.62 * limit ? 'var(--page)' : '';
      });
      const high = values.indexOf(Math.max(...values));
      const least = stage.dark.matches ? 'dark' : 'pale';
      legend.textContent = GATES.has(now.quantity)
        ? `From 0 (${least}) to 1 (orange). The gate is widest open at step ${high + 1}, after ${quoted(trace.inputs[high])}: ${fixed(values[high], 2)}.`
        : `Blue below zero, orange above; full colour from ±${number(limit, 2)} on. Highest at step ${high + 1}, after ${quoted(trace.inputs[high])}: ${fixed(values[high], 2)}.`;
    },
    update() {
      tokens.forEach((token, step) => {
        token.classList.toggle('here', step === now.step);
        token.setAttribute('aria-selected', String(step === now.step));
      });
    },
  };
}
