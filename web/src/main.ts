// The one bundle. As a module it gives `render`, which a notebook's widget calls; in a page of this package it draws the
// page's own data.
import { drawReport } from './page/report';
import { drawLab } from './lab/lab';
import lab from './lab/lab.css?inline';
import { h } from './shared/dom';
import { LiveParts, Parts, type Model } from './shared/model';
import type { Report } from './shared/records';
import saving from './shared/save.css?inline';
import shared from './shared/style.css?inline';
import beam from './trace/beam.css?inline';
import alike from './trace/alike.css?inline';
import speech from './trace/speech.css?inline';
import tasks from './trace/tasks.css?inline';
import trace from './trace/trace.css?inline';
import translation from './trace/translation.css?inline';
import runs from './training/runs.css?inline';

const style = [shared, saving, trace, tasks, speech, alike, translation, beam, runs, lab].join('\n');

/** Draws the part "report" of `model` into `el`, apart from the styles of what is around it. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const root = h('div', { id: 'report', class: 'inside' });
  el.attachShadow({ mode: 'open' }).append(h('style', {}, style), root);
  return draw(model, root);
}

function draw(model: Model, root: HTMLElement): () => void {
  const first = model.get('report') as Report;
  if (first.lab) return drawLab(first, first.lab, model, root);
  const redraw = () => drawReport(model.get('report') as Report, root, model);
  model.on('change:report', redraw);
  redraw();
  return () => model.off('change:report', redraw);
}

const data = document.querySelector('script#data[type="application/json"]');
const page = document.getElementById('report');
if (data && page) {
  document.head.append(h('style', {}, style));
  const values = { report: JSON.parse(data.textContent!) as Report };
  const { live } = page.dataset;
  draw(live === undefined ? new Parts(values) : new LiveParts(values, live), page);
  // For benchmarks/lens.py: two frames on, all that waits for its width has been drawn.
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('drawn')));
}

export default { render };
