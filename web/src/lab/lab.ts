// The laboratory: two networks learn side by side; the worker behind the page trains, and this draws.
import { mark } from '../page/report';
import { choice, h } from '../shared/dom';
import type { Model } from '../shared/model';
import type { Report } from '../shared/records';
import { chain } from './chain';
import { lossPanel, normPanel, scorePanel, throughTimePanel } from './charts';
import type { Complaint, Facts, LabRecord, LabReport } from './records';
import { form } from './settings';
import { column } from './states';
import { story } from './story';

const SPEEDS = [{ value: 'slow', text: 'slow' }, { value: 'steady', text: 'steady' }, { value: 'full', text: 'full speed' }];

/** Fills `root` with the laboratory; gives what ends it. */
export function drawLab(report: Report, lab: LabReport, model: Model, root: HTMLElement): () => void {
  const say = (message: Record<string, unknown>) => model.send(message);
  const tale = story(lab.presets, (name) => say({ do: 'preset', name }));
  const run = h('button', { type: 'button', class: 'wide main', click: () => say({ do: record?.running ? 'pause' : 'start' }) }, 'Start');
  const step = h('button', { type: 'button', class: 'wide', click: () => say({ do: 'step' }) }, 'One step');
  const reset = h('button', { type: 'button', class: 'wide', click: () => say({ do: 'reset' }) }, 'Begin again');
  const speed = choice('Speed', SPEEDS, 'full', (value) => say({ do: 'speed', speed: value }));
  const learnt = h('span', { class: 'where' });
  const complaint = h('p', { class: 'complaint', role: 'alert' });
  const asks = h('p', { class: 'asks' });
  const unfolding = chain();
  const columns = ([0, 1] as const).map((place) => column(place, (show) => say({ do: 'show', show })));
  const panels = [scorePanel(), lossPanel(), normPanel(), throughTimePanel(lab)];
  const settings = form(lab, (chosen) => say({ do: 'settings', settings: chosen }));
  let [facts, record]: [Facts | undefined, LabRecord | undefined] = [undefined, undefined];

  function newFacts(): void {
    facts = model.get('lab') as Facts | undefined;
    if (!facts) return;
    tale.show(facts);
    asks.textContent = facts.asks;
    settings.fill(facts);
    complaint.textContent = '';
    unfolding.element.hidden = facts.preset !== 'unfolding' || facts.settings.task !== 'next' || facts.settings.students[1].cell === 'none';
    newRecord();
  }

  function newRecord(): void {
    const now = model.get('record') as LabRecord | undefined;
    // Until its own record comes, a new contest has nothing to show.
    if (!now || now.number !== facts?.number) return;
    record = now;
    run.textContent = now.running ? 'Pause' : 'Start';
    learnt.replaceChildren(h('b', {}, now.step.toLocaleString('en-GB')), now.step === 1 ? ' step learnt' : ' steps learnt');
    const chosen = speed.querySelector<HTMLInputElement>(`input[value="${now.speed}"]`);
    if (chosen) chosen.checked = true;
    for (const view of [...panels, ...columns]) view.update(facts, now);
    if (!unfolding.element.hidden) unfolding.update(facts, now);
  }

  function newComplaint(): void {
    const told = model.get('complaint') as Complaint | undefined;
    complaint.textContent = told && !settings.complain(told) ? told.text : '';
  }

  function connected(): void {
    if (model.get('connected') === false) complaint.textContent = 'The program behind this page does not answer: is unrolled lab still running?';
    else if (complaint.textContent.startsWith('The program')) complaint.textContent = '';
  }

  root.classList.add('lab');
  root.replaceChildren(
    h('header', {}, mark(), h('h1', {}, report.title), h('p', { class: 'subtitle' }, report.subtitle)),
    h('main', {},
      tale.element,
      h('div', { class: 'card lab-run' }, asks,
        h('div', { class: 'controls' }, run, step, reset, speed, learnt), complaint),
      settings.element,
      unfolding.element,
      h('div', { class: 'lab-charts' }, ...panels.slice(0, 3).map((one) => one.element)),
      panels[3].element,
      h('h2', { class: 'lab-heading' }, 'One example, read by both'),
      h('p', { class: 'lead' }, 'One column a step, one row a unit: blue below zero, orange above; a gate has no colour where it is shut, and is the more orange the further it opens. Under it what was wanted, and the answers with a tick where they are right.'),
      h('div', { class: 'lab-two lab-columns' }, ...columns.map((one) => one.element))),
    h('footer', {}, 'Drawn by unrolled. All of it is learnt on this machine while this page is open; nothing leaves it.'));

  const heard: [string, () => void][] = [
    ['change:lab', newFacts], ['change:record', newRecord], ['change:complaint', newComplaint], ['change:connected', connected],
  ];
  for (const [event, callback] of heard) model.on(event, callback);
  newFacts();
  return () => heard.forEach(([event, callback]) => model.off(event, callback));
}
