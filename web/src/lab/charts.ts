// The charts of a contest: scores, losses and the size of the gradient over the steps, and the gradient through time.
import { atWidth, h } from '../shared/dom';
import { number } from '../shared/format';
import { chart, type Chart } from './chart';
import type { Facts, LabRecord, LabReport, Point } from './records';
import { both, gradientInWords, last, power, sizeOf, times } from './words';

export interface Panel {
  element: HTMLElement;
  update: (facts: Facts, record: LabRecord) => void;
}

const TALL = 190;
/** Below this no curve is followed: single precision ends at 10⁻⁴⁵, and the eye long before. */
const LOWEST = -16;

function panel(title: string, note: string, draw: (facts: Facts, record: LabRecord) => Omit<Chart, 'title'>): Panel {
  const box = h('div', { class: 'chart-box' });
  const finding = h('p', { class: 'finding' });
  let latest: [Facts, LabRecord] | null = null;
  let width = 0;
  const redraw = () => {
    if (!latest || !width) return;
    const given = draw(...latest);
    box.replaceChildren(chart({ title, ...given }, width));
    if (finding.textContent !== given.finding) finding.textContent = given.finding;
  };
  atWidth(box, (now) => {
    width = now;
    redraw();
  });
  return {
    element: h('article', { class: 'card lab-panel' }, h('h3', {}, title), note ? h('p', { class: 'quiet' }, note) : null, box, finding),
    update(facts, record) {
      latest = [facts, record];
      redraw();
    },
  };
}

const steps = (record: LabRecord): [number, number] => [0, Math.max(20, record.step)];
const valuesOf = (curves: Point[][]) => curves.flat().map((point) => point[1]).filter((value): value is number => value !== null);
const logs = (points: Point[]): Point[] => points.map(([step, value]) => [step, value ? Math.log10(value) : null]);

export function scorePanel(): Panel {
  return panel('Score', '', (facts, record) => ({
    finding: both(facts, (place) => {
      const { scores, trouble } = record.students[place];
      const score = last(scores);
      return trouble ? 'has diverged' : score === null ? 'has none yet' : `gets ${Math.round(100 * score)}% ${facts.score_name}`;
    }),
    curves: [record.students[0].scores, record.students[1].scores],
    levels: [{ at: facts.chance, name: 'without a memory' }],
    x: steps(record), y: [0, 1], xName: 'steps learnt', tick: (value) => `${Math.round(100 * value)}%`, height: TALL,
  }));
}

export function lossPanel(): Panel {
  return panel('Loss', '', (facts, record) => {
    const curves: [Point[], Point[]] = [record.students[0].losses, record.students[1].losses];
    const low = facts.chance_loss ?? 0;
    // A network that has diverged is far above; the axis is for those that learn.
    const high = Math.max(1.6 * low, ...curves.map((points) => Math.min(points[0]?.[1] ?? 0, 4 * low || 4)));
    return {
      finding: both(facts, (place) => {
        const { losses, trouble } = record.students[place];
        const loss = last(losses);
        if (trouble) return `has diverged at step ${losses.at(-1)?.[0] ?? 1}`;
        return loss === null ? 'has not begun' : `is at ${loss >= 1e4 ? sizeOf(Math.log10(loss)) : number(loss)} (${facts.loss_name})`;
      }),
      curves,
      levels: facts.chance_loss === null ? [] : [{ at: facts.chance_loss, name: 'without a memory' }],
      x: steps(record), y: [0, high || 1], xName: 'steps learnt', tick: (value) => number(value), height: TALL, smooth: true,
    };
  });
}

export function normPanel(): Panel {
  return panel('Size of the gradient', '', (facts, record) => {
    const curves: [Point[], Point[]] = [logs(record.students[0].norms), logs(record.students[1].norms)];
    const values = valuesOf(curves);
    const clips = [...new Set(facts.settings.students.map((one) => one.clip).filter((clip) => clip > 0))];
    return {
      finding: both(facts, (place) => {
        const one = record.students[place];
        const most = Math.max(...valuesOf([logs(one.norms)]));
        if (!Number.isFinite(most)) return one.trouble ? 'was no number from the first step' : 'has not begun';
        const clipped = facts.settings.students[place].clip > 0 ? `clipped ${one.clipped ? times(one.clipped) : 'never'}` : 'not clipped';
        return one.trouble ? `reached ${sizeOf(most)} and then was no number any more` : `reached ${sizeOf(most)}, ${clipped}`;
      }),
      curves,
      levels: clips.map((clip) => ({ at: Math.log10(clip), name: 'clipped above' })),
      x: steps(record), y: [Math.min(-3, Math.floor(Math.min(...values, 0))), Math.max(2, Math.ceil(Math.max(...values, 0)))],
      xName: 'steps learnt', tick: (value) => (Number.isInteger(value) ? power(value) : ''), height: TALL, smooth: true,
    };
  });
}

export function throughTimePanel(lab: LabReport): Panel {
  return panel('The gradient through time',
    'How much of the last answer’s error is left on its way back, at each step of the example below: ‖∂L/∂s‖ by that at the last step. The thin lines are from before the first step.',
    (facts, record) => {
      const floored = (points: Point[]): Point[] => points.map(([step, value]) => [step, value === null ? null : Math.max(LOWEST, value)]);
      const curves: [Point[], Point[]] = [floored(record.students[0].look.gradient), floored(record.students[1].look.gradient)];
      const before: [Point[], Point[]] | undefined = record.step ? [floored(facts.begins[0]), floored(facts.begins[1])] : undefined;
      const values = valuesOf([...curves, ...(before ?? [])]);
      return {
        finding: gradientInWords(facts, record),
        curves,
        before,
        levels: [
          { at: Math.log10(lab.vanished), name: 'vanished: below what rounding keeps' },
          { at: Math.log10(lab.exploded), name: 'exploded' },
        ],
        x: [1, Math.max(2, facts.inputs.length)],
        y: [Math.max(LOWEST, Math.min(-8, Math.floor(Math.min(...values, 0)))), Math.max(1, Math.ceil(Math.max(...values, 0)))],
        xName: 'step of the sequence', tick: (value) => (Number.isInteger(value) ? power(value) : ''), height: 230,
      };
    });
}
