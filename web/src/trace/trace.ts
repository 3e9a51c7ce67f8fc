// A trace: what a network did with one sequence. All views share one cursor; see `Stage`.
import { h } from '../shared/dom';
import type { TraceRecord } from '../shared/records';
import { unpacked } from '../shared/unpack';
import { answersView } from './answers';
import { controls } from './controls';
import { flowView } from './flow';
import { gradientView } from './gradient';
import { linksView } from './links';
import { loopView } from './loop';
import { mapView } from './map';
import { halfLifeView, influenceView } from './memory';
import { Pair } from './pair';
import { readingView } from './reading';
import { sidesView } from './sides';
import { speechView } from './speech';
import { Stage, type View } from './stage';
import { stripView } from './strip';
import { expectationsView } from './expectations';
import { TASK_VIEWS } from './tasks';
import { translationView } from './translation';
import { unfoldedView } from './unfolded';

type Make = (stage: Stage) => View | null;
/** What the network did along one sequence. */
const NETWORK_VIEWS: Make[] = [
  controls, loopView, flowView, readingView, stripView, mapView, answersView, influenceView, halfLifeView, gradientView,
];

/** The network unfolded into a column for each step, with all layers and what is expected next, above the other views. */
export function unfoldedPage(trace: TraceRecord): HTMLElement {
  // Two of those say the same in their own way.
  return tracePage(trace, [unfoldedView, ...TASK_VIEWS.filter((view) => view !== expectationsView)], NETWORK_VIEWS.filter((view) => view !== loopView));
}

/** Of a translation what links its two sequences, and no view of either alone. */
export function alignmentPage(trace: TraceRecord): HTMLElement {
  return tracePage(trace, [linksView, translationView], []);
}

/** A sound and what was heard in it, and no view of the network below. */
export function soundPage(trace: TraceRecord): HTMLElement {
  return tracePage(trace, [speechView], []);
}

/** Arrow keys move the cursor, but where they have a meaning of their own. */
function move(stage: Stage, event: KeyboardEvent): void {
  const { target } = event;
  if (target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== 'radio')) return;
  if (event.key === ' ' && stage.turn && !(target instanceof HTMLElement && target.matches('button, input, summary, a'))) {
    event.preventDefault();
    stage.turn();
    return;
  }
  const { step } = stage.now;
  const to = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: stage.steps - 1 }[event.key];
  if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  stage.go(to);
}

export function tracePage(given: TraceRecord, above = TASK_VIEWS, below = NETWORK_VIEWS): HTMLElement {
  const stage = new Stage(unpacked(given) as TraceRecord);
  const { source } = stage.trace;
  const pair = source ? new Pair(new Stage(source), stage) : null;
  const made = (makers: Make[], of: Stage) => makers.map((make) => make(of)).filter((view) => view !== null);
  const views = made(above, stage);
  const root = h('div', { class: 'card trace-card', tabindex: -1, keydown: (event: KeyboardEvent) => move(pair?.leads ?? stage, event) },
    h('p', { class: 'quiet keys-told' }, h('kbd', {}, '←'), ' ', h('kbd', {}, '→'), ' move from step to step, in all views at once',
      ...(stage.turn ? ['; ', h('kbd', {}, 'space'), ' plays the sound'] : [])),
    ...views.map((view) => view.element));
  // A click on a drawing leaves the focus nowhere, and the arrow keys with it.
  root.addEventListener('click', () => {
    const { activeElement } = root.getRootNode() as Document | ShadowRoot;
    if (!root.contains(activeElement)) root.focus({ preventScroll: true });
  });
  if (pair && !below.length) {
    pair.source.show(views);
    stage.show(views);
  } else if (pair) {
    const sides = sidesView(pair);
    const [read, answered] = [made(below, pair.source), made(below, stage)];
    root.append(sides.element, sides.around(pair.source, read), sides.around(stage, answered));
    pair.source.show([...views, sides, ...read]);
    stage.show([...views, sides, ...answered]);
  } else {
    const own = made(below, stage);
    root.append(...own.map((view) => view.element));
    stage.show([...views, ...own]);
  }
  return root;
}
