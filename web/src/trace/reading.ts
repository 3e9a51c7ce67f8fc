// The step under the cursor in words, and the unit's equation with its own numbers.
import { h } from '../shared/dom';
import { counted, fixed, number, percent } from '../shared/format';
import type { TraceRecord } from '../shared/records';
import { cameAfter } from './came';
import { equations } from './equations';
import { unitsOn } from './spans';
import { nameOf, spelled, type Stage, type View } from './stage';
import { heard, named, readAt } from './symbols';

/** What a forecaster read at a step, in the user's unit. */
function valuesOf({ series }: TraceRecord, step: number): string {
  if (!series) return '';
  const values = series.values.slice(...series.reads[step]).map((value) => (value === null ? 'missing' : number(value, 4)));
  return values.length > 8 ? `: ${values[0]} … ${values.at(-1)}, ${values.length} values` : `: ${values.join(', ')}`;
}

export function readingView(stage: Stage): View {
  const { trace, now } = stage;
  // The one part that a screen reader reads by itself: all else changes with it.
  const status = h('p', { class: 'unseen', role: 'status' });
  const told = h('div', {});
  const element = h('div', { class: 'reading' }, status, told);
  let [marked, answered] = ['', ''];

  function span(): string {
    const asked = `${now.layer} ${now.span}`;
    if (asked !== marked) answered = now.span ? ` ${spanInWords(stage, now.span)}` : '';
    marked = asked;
    return answered;
  }

  function words(): Node[] {
    const { step } = now;
    const came = cameAfter(trace, step);
    const said: Node[] = [h('b', {}, `Step ${step + 1} of ${stage.steps}: `)];
    const say = (text: string) => said.push(document.createTextNode(text));
    say(`read ${readAt(trace, step)}${valuesOf(trace, step)}. `);
    if (trace.expected) {
      const { choices, chances } = trace.expected;
      const best = choices[step].slice(0, 3).map((name, k) => `${named(trace, name)} ${percent(chances[step][k])}%`);
      say(`It expects ${best.join(', ')}. `);
    }
    const cost = trace.losses?.[step];
    if (trace.expected && came !== undefined && cost !== undefined && Number.isFinite(cost)) say(`Then came ${named(trace, came)}, which cost ${fixed(cost, 2)} nats (${fixed(cost / Math.LN2, 1)} bits). `);
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
      const said = inWords(stage) + span();
      // While a sound plays it is heard, and not read.
      if (!stage.playing && status.textContent !== said) status.textContent = said;
      told.replaceChildren(
        h('p', {}, ...words()),
        h('p', { class: 'quiet' }, `Unit ${layer.units[now.unit]} of ${nameOf(layer)}:`),
        ...equations(layer, now.step, now.unit).map((text) => h('p', { class: 'equation' }, text)));
    },
  };
}

/** The step under the cursor in one sentence, for who hears it at every key. */
export function inWords({ trace, now, layer, steps, values }: Pick<Stage, 'trace' | 'now' | 'layer' | 'steps' | 'values'>): string {
  const { step } = now;
  const parts = [`Step ${step + 1} of ${steps}: read ${readAt(trace, step, heard)}${valuesOf(trace, step)}`];
  if (trace.expected) {
    const { choices, chances } = trace.expected;
    parts.push(`expects ${heard(trace, choices[step][0])} ${percent(chances[step][0])}%`);
  }
  if (trace.answers) {
    const { names, chances, chosen } = trace.answers;
    const best = chosen.length ? names.indexOf(chosen[step]) : chances[step].indexOf(Math.max(...chances[step]));
    parts.push(`answers ${names[best]} ${percent(chances[step][best])}%`);
  }
  if (trace.links) {
    const [source, weight] = lookedAt(trace.links, step);
    parts.push(`looked most at ${heard(trace, source.trim() || source)} ${percent(weight)}%`);
  }
  parts.push(`unit ${layer.units[now.unit]} has ${spelled(now.quantity)} ${fixed(values[step], 2)}`);
  return `${parts.join('; ')}.`;
}

function lookedAt({ sources, weights }: NonNullable<TraceRecord['links']>, step: number): [source: string, weight: number] {
  const most = Math.max(...weights[step]);
  return [sources[weights[step].indexOf(most)], most];
}

function spanInWords(stage: Stage, [first, last]: [number, number]): string {
  const found = unitsOn(stage.layer.states.h, [first, last], stage.limitOf('h')).length;
  return `Steps ${first + 1} to ${last + 1} are marked: ${counted(found, 'unit')} on exactly there.`;
}
