// What the laboratory's worker says (src/unrolled/lab/session.py and what it calls).

export type Cell = 'none' | 'RNN' | 'GRU' | 'LSTM';

export interface StudentSettings {
  cell: Cell;
  hidden_size: number;
  init: string;
  clip: number;
  optimizer: 'adam' | 'sgd';
  learning_rate: number;
}

export interface LabSettings {
  task: string;
  length: number;
  delay: number;
  text: string;
  rows: number;
  seed: number;
  students: [StudentSettings, StudentSettings];
}

export interface Preset {
  name: string;
  title: string;
  look: string;
  why: string;
  more: string;
  settings: LabSettings;
  steps: number;
  shown: string;
}

/** What the page begins with. */
export interface LabReport {
  presets: Preset[];
  inits: Record<Cell, string[]>;
  vanished: number;
  exploded: number;
}

/** What stays the same while a contest is on. */
export interface Facts {
  number: number;
  preset: string;
  settings: LabSettings;
  asks: string;
  loss_name: string;
  score_name: string;
  chance: number;
  chance_loss: number | null;
  inputs: string[];
  targets: string[];
  /** The gradient through time before the first step. */
  begins: [Point[], Point[]];
}

export type Point = [step: number, value: number | null];

export interface Look {
  gradient: Point[];
  shown: string;
  units: number[];
  values: number[][];
  limit: number;
  answers: string[];
  right: boolean[];
  /** Of the median unit and of the one that keeps longest; null: for good. */
  half_lives: [number | null, number | null] | null;
}

export interface StudentRecord {
  losses: Point[];
  scores: Point[];
  norms: Point[];
  clipped: number;
  trouble: string;
  look: Look;
}

/** Where the two networks stand. */
export interface LabRecord {
  number: number;
  running: boolean;
  speed: string;
  step: number;
  students: [StudentRecord, StudentRecord];
}

/** What can't be done, and which field says so: no place where it is none of the form. */
export interface Complaint {
  text: string;
  place: (string | number)[];
  told: string;
}
