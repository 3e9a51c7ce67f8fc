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

/** Numbers by step, then by unit; in the page a row of a packed array. */
export type Rows = Float32Array[];
type Parts = Record<string, Rows>;

export interface TraceLayer {
  name: string;
  index: number;
  reverse: boolean;
  cell: string;
  units: number[];
  states: Parts;
  before: Record<string, Float32Array>;
  gates: Parts;
  terms: Parts;
  gradients: Parts;
  norms: Record<string, Float32Array>;
  cuts: boolean[];
  rates: Record<string, number>;
  half_lives: Record<string, Float32Array>;
}

export interface Influence {
  of: string;
  ahead: number;
  size: Rows;
  product: Rows;
}

export interface TraceRecord {
  model: string;
  inputs: string[];
  layers: TraceLayer[];
  losses: Float32Array | null;
  expected: { choices: string[][]; chances: Rows } | null;
  answers: { names: string[]; chances: Rows } | null;
  notes: string[];
  loss: string;
  influence: Influence | null;
  /** What of the text units may follow, a number for each step; see src/unrolled/lens/properties.py. */
  properties: Record<string, Float32Array>;
  /** The gradient of other traces, to compare with. */
  beside?: { name: string; norms: Float32Array }[];
}
