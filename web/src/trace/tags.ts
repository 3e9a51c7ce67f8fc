// Each word with its tag and how sure the model is; the runners-up of the word under the cursor.
import { h, uid } from '../shared/dom';
import { counted, listed, percent, quoted, spoken, visible } from '../shared/format';
import type { TraceAnswers, TraceRecord } from '../shared/records';
import { pointAt } from './options';
import type { Stage, View } from './stage';

const RUNNERS = 5;

/** What is answered at a step. */
export function tagOf({ names, chances, chosen }: TraceAnswers, step: number): string {
  return chosen.length ? chosen[step] : names[chances[step].indexOf(Math.max(...chances[step]))];
}

/** Null for a trace without an answer for each step. */
export function tagsView(stage: Stage): View | null {
  const { trace } = stage;
  const { answers } = trace;
  if (!answers || answers.running) return null;
  const { names, chances, truth } = answers;
  const sure = (step: number) => chances[step][names.indexOf(tagOf(answers, step))];
  const blocks = trace.inputs.map((word, step) => {
    const tag = tagOf(answers, step);
    const wrong = truth.length > 0 && truth[step] !== tag;
    return h('span', {
      role: 'option', id: uid('word'), class: wrong ? 'tagged wrong' : 'tagged', click: () => stage.go(step),
      'aria-label': `${spoken(word)}: ${tag} ${percent(sure(step))}%${wrong ? `, but ${truth[step]} is right` : ''}`,
    },
      h('b', {}, visible(word)), h('span', { class: 'tag' }, tag),
      h('span', { class: 'sure' }, h('i', { style: `width: ${100 * sure(step)}%` })),
      wrong ? h('small', {}, `✗ ${truth[step]}`) : null);
  });
  const told = inWords(trace, answers);
  const list = h('div', {
    class: 'running', role: 'listbox', tabindex: 0, 'aria-label': `The tag of each word. ${told} Arrow keys move.`,
  }, ...blocks);
  const here = h('div', { class: 'runners' });

  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'A tag for each word'), list, h('p', { class: 'saying' }, told), here),
    redraw: () => undefined,
    update() {
      const { step } = stage.now;
      pointAt(list, blocks, step);
      const order = names.map((_, k) => k).sort((a, b) => chances[step][b] - chances[step][a]).slice(0, RUNNERS);
      here.replaceChildren(h('p', { class: 'quiet' }, `${quoted(trace.inputs[step])} could be:`),
        ...order.map((k) => h('div', { class: names[k] === tagOf(answers, step) ? 'runner first' : 'runner' },
          h('span', {}, names[k]), h('span', { class: 'sure' }, h('i', { style: `width: ${100 * chances[step][k]}%` })),
          h('span', {}, `${percent(chances[step][k])}%`))));
    },
  };
}

/** How many tags are right where that is known, and which words are the least sure. */
export function inWords({ inputs }: TraceRecord, answers: TraceAnswers): string {
  const { truth, chances, names } = answers;
  const steps = inputs.map((_, step) => step);
  const unsure = steps.map((step) => ({ step, p: chances[step][names.indexOf(tagOf(answers, step))] }))
    .filter(({ p }) => p < 0.9).sort((a, b) => a.p - b.p).slice(0, 3);
  const right = truth.length ? `${steps.filter((step) => truth[step] === tagOf(answers, step)).length} of ${counted(steps.length, 'tag')} ${steps.length === 1 ? 'is' : 'are'} right. ` : '';
  const least = listed(unsure.map(({ step, p }) => `${quoted(inputs[step])} (${tagOf(answers, step)} ${percent(p)}%)`));
  return right + (unsure.length ? `Least sure: ${least}.` : 'Each tag is at least 90% sure.');
}
