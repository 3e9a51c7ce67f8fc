// A trace: what a network did with one sequence. All views share one cursor; see `Stage`.
import { h } from '../shared/dom';
import type { TraceRecord } from '../shared/records';
import { unpacked } from '../shared/unpack';
import { answersView } from './answers';
import { controls } from './controls';
import { flowView } from './flow';
import { gradientView } from './gradient';
import { loopView } from './loop';
import { mapView } from './map';
import { halfLifeView, influenceView } from './memory';
import { readingView } from './reading';
import { Stage, type View } from './stage';
import { stripView } from './strip';

const VIEWS: ((stage: Stage) => View | null)[] = [
  controls, loopView, flowView, readingView, stripView, mapView, answersView, influenceView, halfLifeView, gradientView,
];

export function tracePage(given: TraceRecord): HTMLElement {
  const stage = new Stage(unpacked(given) as TraceRecord);
  const views = VIEWS.map((make) => make(stage)).filter((view) => view !== null);
  const root = h('div', { class: 'card trace-card', keydown: (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const { step } = stage.now;
    const to = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: stage.steps - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    stage.go(to);
  } }, ...views.map((view) => view.element));
  stage.show(views);
  return root;
}
