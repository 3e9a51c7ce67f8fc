// The records as Python writes them (src/unrolled/lens/records.py).
import type { LabReport } from '../lab/records';

export interface Fan {
  ds: string[];
  quantiles: Record<string, number[]>;
  actual: (number | null)[];
  origin: string;
}

export interface ForecastSeries {
  id: string;
  ds: string[];
  y: (number | null)[];
  fans: Fan[];
}

export interface ForecastPanel {
  name: string;
  unit: string;
  story: string;
  series: ForecastSeries[];
}

export interface ScoreRow {
  task: string;
  metric: string;
  lower_is_better: boolean;
  network: number | null;
  baseline_name: string;
  baseline: number | null;
  verdict: string;
  detail: string;
}

export interface TextPanel {
  prompt: string;
  sample: string;
  temperature: number;
  bits_per_character: number | null;
  baseline_name: string;
  baseline_bits: number | null;
  seconds: number | null;
}

export type LossPoint = [step: number, seconds: number, loss: number | null];

export interface LossCurve {
  name: string;
  unit: string;
  points: LossPoint[];
  validation: LossPoint[];
}

export interface LayerTrace {
  cell: string;
  hidden: (number | null)[][];
  memory: (number | null)[][] | null;
}

export interface TextTrace {
  text: string[];
  layers: LayerTrace[];
  next: [symbol: string, probability: number][][];
  surprise: (number | null)[];
}

export interface Report {
  lab?: LabReport;
  trace?: TraceRecord | null;
  title: string;
  subtitle: string;
  made: string;
  machine: Record<string, string>;
  forecasts: ForecastPanel[];
  scores: ScoreRow[];
  text: TextPanel | null;
  losses: LossCurve[];
  unfolded: TextTrace | null;
  notes: string[];
}

/** Numbers by step, then by unit. */
type Parts = Record<string, number[][]>;

export interface TraceLayer {
  name: string;
  index: number;
  reverse: boolean;
  cell: string;
  units: number[];
  states: Parts;
  before: Record<string, number[]>;
  gates: Parts;
  gradients: Parts;
  norms: Record<string, number[]>;
  cuts: boolean[];
}

export interface TraceRecord {
  model: string;
  inputs: string[];
  layers: TraceLayer[];
  losses: (number | null)[] | null;
  expected: { choices: string[][]; chances: number[][] } | null;
  answers: { names: string[]; chances: number[][] } | null;
  notes: string[];
  loss: string;
}
