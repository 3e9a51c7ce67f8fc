// A trace: what a network did with one sequence. All views share one cursor; see `Stage`.
import { h } from '../shared/dom';
import type { TraceRecord } from '../shared/records';
import { answersView } from './answers';
import { controls } from './controls';
import { gradientView } from './gradient';
import { mapView } from './map';
import { readingView } from './reading';
import { Stage, type View } from './stage';
import { stripView } from './strip';
import { TASK_VIEWS } from './tasks';

const VIEWS: ((stage: Stage) => View | null)[] = [...TASK_VIEWS, controls, stripView, mapView, gradientView, answersView, readingView];

export function tracePage(trace: TraceRecord): HTMLElement {
  const stage = new Stage(trace);
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
