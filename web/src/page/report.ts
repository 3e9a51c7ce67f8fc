// A report: its sections are built from whatever its data hold.
import { h, s } from '../shared/dom';
import type { Report } from '../shared/records';
import type { Model } from '../shared/model';
import { offerSaving } from '../shared/save';
import { lossCurves } from '../training/losses';
import { runsView } from '../training/runs';
import { tracePage, unfoldedPage } from '../trace/trace';
import { forecastPanel } from './forecasts';
import { scoreTable } from './scores';
import { speechPanel } from './speech';
import { textPanel } from './text';
import { translationPanel } from './translation';

interface Section {
  id: string;
  name: string;
  lead: string;
  body: () => Node[];
}

function sectionsOf(report: Report, model: Model): Section[] {
  const sections: Section[] = [];
  if (report.forecasts.length) {
    sections.push({
      id: 'forecasts', name: 'Forecasts',
      lead: 'Each fan was drawn by a network that had seen only what lies left of the line. Step through them and compare with what came true.',
      body: () => report.forecasts.map(forecastPanel),
    });
  }
  if (report.scores.length) {
    sections.push({
      id: 'scores', name: 'Network or simple rival?',
      lead: 'Every network here is measured beside something simple. Where the simple thing is better, the table says so.',
      body: () => [scoreTable(report.scores)],
    });
  }
  if (report.text) {
    const text = report.text;
    sections.push({ id: 'text', name: 'What it writes', lead: '', body: () => [textPanel(text)] });
  }
  if (report.translation) {
    const { translation } = report;
    sections.push({ id: 'translation', name: 'What it translates', lead: '', body: () => translationPanel(translation) });
  }
  if (report.speech) {
    const { speech } = report;
    sections.push({ id: 'speech', name: 'What it hears', lead: '', body: () => speechPanel(speech) });
  }
  if (report.unfolded) {
    const trace = report.unfolded;
    sections.push({ id: 'unfolded', name: 'The network, unfolded over time', lead: '', body: () => [unfoldedPage(trace)] });
  }
  if (report.trace) {
    const trace = report.trace;
    sections.push({ id: 'trace', name: 'Step by step', lead: '', body: () => [tracePage(trace)] });
  }
  if (report.runs.length) {
    const { runs } = report;
    sections.push({ id: 'runs', name: 'How it learns', lead: '', body: () => runsView(runs, model) });
  }
  if (report.losses.length) {
    sections.push({ id: 'training', name: 'How it learnt', lead: '', body: () => [lossCurves(report.losses)] });
  }
  if (report.notes.length) {
    sections.push({
      id: 'notes', name: 'Notes', lead: '',
      body: () => [h('ul', { class: 'notes' }, ...report.notes.map((note) => h('li', {}, note)))],
    });
  }
  return sections;
}

/** The mark: a loop on the left, the same loop unrolled to the right. */
export function mark(): SVGSVGElement {
  const cell = (x: number) => s('circle', { cx: x, cy: 28, r: 6 });
  const arrow = (x: number) => s('path', { d: `M${x},28 h9 m-4,-3.5 l4,3.5 l-4,3.5` });
  return s('svg', { class: 'mark', width: 132, height: 40, viewBox: '0 0 132 40', 'aria-hidden': 'true' },
    s('path', { d: 'M10.5,21.5 C-4,0 34,0 19.5,21.5 m-0.6,-5 l0.6,5 l4.7,-1.6' }), cell(15),
    s('path', { class: 'equals', d: 'M34,26 h8 M34,30.5 h8' }),
    cell(57), arrow(67), cell(85), arrow(95), cell(113));
}

function header(report: Report, sections: Section[]): HTMLElement {
  const made = new Date(report.made);
  const when = Number.isNaN(made.getTime())
    ? report.made
    : made.toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'UTC', timeZoneName: 'short' });
  const fact = (name: string, value: string) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  return h('header', {},
    mark(),
    h('h1', {}, report.title),
    report.subtitle ? h('p', { class: 'subtitle' }, report.subtitle) : null,
    h('dl', { class: 'facts' }, report.made ? fact('made', when) : null,
      ...Object.entries(report.machine).map(([name, value]) => fact(name, value))),
    sections.length > 1
      ? h('nav', { 'aria-label': 'Parts of this page' }, ...sections.map((part) => h('a', { href: `#${part.id}`, click: follow }, part.name)))
      : null);
}

/** Inside another page an address with `#` would be that page's: the part is found from here. */
function follow(event: MouseEvent): void {
  const link = event.currentTarget as HTMLAnchorElement;
  const page = link.closest('.inside');
  if (!page) return;
  event.preventDefault();
  page.querySelector(link.getAttribute('href')!)?.scrollIntoView();
}

/** Fills `root` with a report. */
export function drawReport(report: Report, root: HTMLElement, model: Model): void {
  const sections = sectionsOf(report, model);
  const body = h('main', {}, ...sections.map((part) => {
    const section = h('section', { id: part.id, 'aria-labelledby': `${part.id}-name` }, h('h2', { id: `${part.id}-name` }, part.name));
    if (part.lead) section.append(h('p', { class: 'lead' }, part.lead));
    section.append(...part.body());
    return section;
  }));
  offerSaving(body);
  root.replaceChildren(header(report, sections), body,
    h('footer', {}, 'Drawn by unrolled. This page holds all of its data and asks no network for anything.'));
}
