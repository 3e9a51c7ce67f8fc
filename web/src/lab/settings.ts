// The form: what is to be learnt, by which two networks.
import { h, uid } from '../shared/dom';
import type { Cell, Complaint, Facts, LabReport, LabSettings, StudentSettings } from './records';
import { INITS, NAMES } from './words';

const TASKS: [value: string, text: string][] = [
  ['order', 'order: praise or blame'], ['echo', 'echo: say it again later'], ['adding', 'adding: two marked numbers'],
  ['copy', 'copy: read, wait, repeat'], ['next', 'next character of a text'],
];
const CELLS: [value: Cell, text: string][] = [['none', 'feedforward (no loop)'], ['RNN', 'RNN'], ['GRU', 'GRU'], ['LSTM', 'LSTM']];
export interface Form {
  element: HTMLElement;
  /** Shows the settings of a contest. */
  fill: (facts: Facts) => void;
  /** Says at its field what is wrong with it; whether there is that field. */
  complain: (complaint: Complaint) => boolean;
}

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export function form(lab: LabReport, choose: (settings: LabSettings) => void): Form {
  const changed = () => choose(read());
  const select = (options: [string, string][]) => h('select', { change: changed }, ...options.map(([value, text]) => h('option', { value }, text)));
  const numeric = (min: number, max: number, step: number | 'any') => h('input', { type: 'number', min, max, step, change: changed });
  const troubles = new Map<Field, HTMLElement>();
  const labelled = (name: string, field: Field, more = '') => {
    const trouble = h('p', { class: 'field-trouble', role: 'alert', id: uid('trouble') });
    troubles.set(field, trouble);
    field.setAttribute('aria-describedby', trouble.id);
    return h('div', { class: `field ${more}` }, h('label', {}, h('span', {}, name), field), trouble);
  };
  const clear = () => troubles.forEach((trouble, field) => {
    trouble.textContent = '';
    field.removeAttribute('aria-invalid');
  });

  const task = select(TASKS);
  const [length, delay, rows, seed] = [numeric(2, 200, 1), numeric(1, 100, 1), numeric(1, 128, 1), numeric(0, 2 ** 31 - 1, 1)];
  const text = h('textarea', { rows: 2, maxlength: 2000, placeholder: 'empty: Python’s help topics', change: changed });
  const fields = {
    length: labelled('steps of a sequence', length), delay: labelled('delay of the echo', delay), text: labelled('text', text, 'whole'),
  };
  const students = NAMES.map(() => {
    const cell = select(CELLS);
    // What the new cell can't begin with gives way before the form is read.
    cell.addEventListener('change', () => fillInits(cell.value as Cell), { capture: true });
    const init = select([]);
    const fillInits = (kind: Cell) => {
      const before = init.value;
      init.replaceChildren(...lab.inits[kind].map((name) => h('option', { value: name }, INITS[name])));
      if (lab.inits[kind].includes(before)) init.value = before;
    };
    return { cell, init, fillInits, size: numeric(1, 128, 1), clip: numeric(0, 1000, 'any'), rate: numeric(0.00001, 1, 'any'), optimizer: select([['adam', 'Adam'], ['sgd', 'SGD']]) };
  });

  const fieldAt = ([name, place, part]: (string | number)[]): Field | undefined => {
    if (name !== 'students') return ({ task, length, delay, rows, seed, text } as Record<string, Field>)[name];
    const one = students[place as number];
    return one && ({ cell: one.cell, init: one.init, hidden_size: one.size, clip: one.clip, learning_rate: one.rate, optimizer: one.optimizer } as Record<string, Field>)[part];
  };

  /** A field that holds no number is sent as it is: the answer says what is wrong with it. */
  const valueOf = (field: HTMLInputElement) => (Number.isNaN(field.valueAsNumber) ? (field.value as unknown as number) : field.valueAsNumber);
  const read = (): LabSettings => ({
    task: task.value, length: valueOf(length), delay: valueOf(delay), text: text.value, rows: valueOf(rows), seed: valueOf(seed),
    students: students.map((one): StudentSettings => ({
      cell: one.cell.value as Cell, hidden_size: valueOf(one.size), init: one.init.value, clip: valueOf(one.clip),
      optimizer: one.optimizer.value as 'adam' | 'sgd', learning_rate: valueOf(one.rate),
    })) as [StudentSettings, StudentSettings],
  });

  const element = h('details', { class: 'card lab-settings' }, h('summary', {}, 'Settings: your own contest'),
    h('fieldset', {}, h('legend', {}, 'What is to be learnt'), labelled('task', task), fields.length, fields.delay,
      labelled('sequences a step', rows), labelled('seed', seed), fields.text),
    h('div', { class: 'lab-two' }, ...students.map((one, place) => h('fieldset', {}, h('legend', { class: `of-${place}` }, `Network ${NAMES[place]}`),
      labelled('cell', one.cell), labelled('units', one.size), labelled('begins', one.init), labelled('clip above (0: never)', one.clip),
      labelled('optimizer', one.optimizer), labelled('learning rate', one.rate)))));
  return {
    element,
    complain({ place, told }) {
      clear();
      const field = fieldAt(place);
      if (!field || field.closest('[hidden]')) return false;
      field.setAttribute('aria-invalid', 'true');
      troubles.get(field)!.textContent = told;
      return true;
    },
    fill({ settings }) {
      clear();
      task.value = settings.task;
      [length.value, delay.value, rows.value, seed.value] = [settings.length, settings.delay, settings.rows, settings.seed].map(String);
      text.value = settings.text;
      fields.length.hidden = settings.task === 'order';
      fields.delay.hidden = settings.task !== 'echo';
      fields.text.hidden = settings.task !== 'next';
      students.forEach((one, place) => {
        const given = settings.students[place];
        one.cell.value = given.cell;
        one.fillInits(given.cell);
        one.init.value = given.init;
        [one.size.value, one.clip.value, one.rate.value] = [given.hidden_size, given.clip, given.learning_rate].map(String);
        one.optimizer.value = given.optimizer;
      });
    },
  };
}
