// What was read, in the colours of one unit (Karpathy 2015, "The unreasonable effectiveness of recurrent neural networks"),
// and the units that are on exactly in a span of it.
import { h, uid } from '../shared/dom';
import { fixed, percent, quoted, sized, visible } from '../shared/format';
import { colour } from '../shared/heat';
import { unitsOn } from './spans';
import { GATES, type Stage, type View } from './stage';

const SHOWN = 8;

/** Null for a sound, whose steps are no text. */
export function stripView(stage: Stage): View | null {
  const { trace, now, steps } = stage;
  if (trace.spectrogram) return null;
  let from: number | null = null;
  let touched: HTMLElement[] = [];
  let answered = '';
  const tokens = trace.inputs.map((text, step) => h('span', {
    role: 'option', id: uid('token'),
    pointerdown: (event: PointerEvent) => {
      from = event.shiftKey ? now.step : step;
      stage.mark(event.shiftKey ? [now.step, step] : null);
      stage.go(step);
    },
    pointerenter: (event: PointerEvent) => {
      if (event.buttons === 1 && from !== null && step !== from) stage.mark([from, step]);
    },
    'aria-selected': 'false',
  }, visible(text)));
  const strip = h('div', {
    class: 'strip', role: 'listbox', tabindex: 0, 'aria-multiselectable': 'true',
    'aria-label': `What was read, in ${steps} steps. Arrow keys move, with Shift they mark a span.`,
    keydown: (event: KeyboardEvent) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') stage.mark(null);
      if (by === undefined || !event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      const anchor = now.span === null ? now.step : now.span[0] === now.step ? now.span[1] : now.span[0];
      stage.go(now.step + by);
      stage.mark([anchor, now.step]);
    },
  }, ...tokens);
  const legend = h('p', { class: 'quiet' });
  const on = h('div', { class: 'span-units' });
  const element = h('section', {}, h('h3', {}, 'What was read, in the colours of one unit'), strip, legend, on);

  function there(): Node[] {
    if (!now.span) return [h('p', { class: 'quiet' }, 'Drag over a part, or hold Shift with the arrow keys, to find the units that are on exactly there.')];
    const [first, last] = now.span;
    const part = trace.inputs.slice(first, last + 1).map(visible);
    const shown = part.length > 12 ? [...part.slice(0, 6), '…', ...part.slice(-5)] : part;
    const joined = shown.join(part.some((text) => text.length > 1) ? ' ' : '');
    const found = unitsOn(stage.layer.states.h, now.span, stage.limitOf('h'));
    if (!found.length) return [h('p', {}, `No unit is on in “${joined}” and off right before and after it.`)];
    return [
      h('p', {}, `${found.length === 1 ? 'One unit is' : `${found.length} units are`} on in “${joined}” and off right before and after it; those first that are on in the fewest other places:`),
      h('p', {}, ...found.slice(0, SHOWN).map(({ unit, sign, elsewhere }) =>
        h('button', { class: 'wide', type: 'button', click: () => stage.choose({ unit, quantity: 'h' }) },
          `unit ${stage.layer.units[unit]} ${sign > 0 ? 'high' : 'low'}, on ${elsewhere ? `in ${percent(elsewhere)}% of the rest` : 'nowhere else'}`))),
    ];
  }

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
        : `Blue below zero, orange above; full colour from ±${sized(limit)} on. Highest at step ${high + 1}, after ${quoted(trace.inputs[high])}: ${Math.abs(values[high]) < 1000 ? fixed(values[high], 2) : sized(values[high])}.`;
    },
    update() {
      // Of a thousand tokens two change when the cursor moves.
      const marked = new Set(now.span ? tokens.slice(now.span[0], now.span[1] + 1) : []);
      for (const token of new Set([...touched, tokens[now.step], ...marked])) {
        const here = token === tokens[now.step];
        token.classList.toggle('here', here);
        token.classList.toggle('marked', marked.has(token));
        token.setAttribute('aria-selected', String(here || marked.has(token)));
      }
      touched = [tokens[now.step], ...marked];
      strip.setAttribute('aria-activedescendant', tokens[now.step].id);
      const asked = `${now.layer} ${now.span}`;
      if (asked !== answered) on.replaceChildren(...there());
      answered = asked;
    },
  };
}
