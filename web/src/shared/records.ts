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

export interface TranslatedLine {
  source: string;
  said: string;
  right: string;
  code: string;
  language: string;
  remark: string;
  trace: TraceRecord | null;
}

export interface TranslationPanel {
  name: string;
  story: string;
  lines: TranslatedLine[];
}

/** A sound that was heard as it came: what was heard after so many seconds, each time that it changed. */
export interface SpeechPanel {
  name: string;
  story: string;
  said: string;
  right: string;
  so_far: { seconds: number; text: string }[];
  trace: TraceRecord | null;
}

export type LossPoint = [step: number, seconds: number, loss: number | null];

export interface LossCurve {
  name: string;
  unit: string;
  points: LossPoint[];
  validation: LossPoint[];
}

/** src/unrolled/lens/run_records.py */
export interface RunRecord {
  name: string;
  every: number;
  steps: number[];
  seconds: (number | null)[];
  tokens: (number | null)[];
  loss: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  rate: (number | null)[];
  norm: (number | null)[];
  clipped: (number | null)[];
  clip: number | null;
  validation: ScoredStep[];
  best: number | null;
  findings: FoundSpan[];
  looks: GradientLook[];
  notes: string[];
  vanished: number;
  exploded: number;
  loss_unit: string | null;
  score_unit: string | null;
}

export interface ScoredStep {
  step: number;
  seconds: number | null;
  tokens: number | null;
  score: number | null;
}

export interface FoundSpan {
  first: number;
  last: number;
  looks: number;
  kind: string;
  where: string;
  measured: string;
  remedy: string;
  falling: boolean;
}

export interface GradientProfile {
  where: string;
  cell: string;
  steps: number;
  places: number[];
  norms: (number | null)[];
  carried: number | null;
  peak: number | null;
  reach: number | null;
  lags: number[];
  back: (number | null)[];
  found: string[];
}

export interface GradientLook {
  step: number;
  layers: GradientProfile[];
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
  translation: TranslationPanel | null;
  speech: SpeechPanel | null;
  losses: LossCurve[];
  runs: RunRecord[];
  unfolded: TraceRecord | null;
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
  expected: { choices: string[][]; chances: Rows; came: string[] } | null;
  answers: TraceAnswers | null;
  notes: string[];
  loss: string;
  influence: Influence | null;
  /** What of the text units may follow, a number for each step; see src/unrolled/lens/properties.py. */
  properties: Record<string, Float32Array>;
  /** The gradient of other traces, to compare with. */
  beside?: { name: string; norms: Float32Array }[];
  joined: boolean;
  series?: { name: string; times: string[]; values: (number | null)[]; reads: [begin: number, end: number][] };
  fan?: { times: string[]; levels: number[]; quantiles: number[][]; truth: (number | null)[] };
  links?: { sources: string[]; targets: string[]; weights: Rows };
  spectrogram?: { values: Rows; hop: number; path: string[] };
  heard?: { text: string; names: string[]; chances: Rows; words: SpokenWord[]; reference: SpokenWord[]; repeats?: boolean };
  alike?: AlikeWord[];
  /** A file (.wav), as base64. */
  sound?: { wav: string };
  beam?: BeamRecord;
  /** Of a translation: what its encoder read. The weights of the links have a column for each of its steps. */
  source?: TraceRecord;
}

/** A word with seconds from the beginning of the sound; see src/unrolled/lens/sound_parts.py. */
export interface SpokenWord {
  text: string;
  start: number;
  end: number;
  confidence: number;
}

/** A word that was heard, and what else it might have been; see src/unrolled/tasks/transcribing/sounds_alike.py. */
export interface AlikeWord {
  text: string;
  start: number;
  end: number;
  why: string;
  /** The likeliest first. */
  rivals: AlikeRival[];
}

/** Scores in nats, below 0 where they speak for the word that was heard. */
export interface AlikeRival {
  text: string;
  how: string;
  acoustic: number;
  language: number;
  hot: number;
  second: number;
  total: number;
  margin: number;
  odds: number;
  contexts: { side: 'after' | 'before'; word: string; odds: number }[];
}

/** A tree of tokens; see src/unrolled/lens/trace_parts.py. */
export interface BeamRecord {
  width: number;
  tokens: string[];
  steps: number[];
  parents: number[];
  log_p: number[];
  sums: number[];
  fates: ('kept' | 'finished' | 'pruned')[];
  ranks: number[];
  scores: (number | null)[];
}

export interface TraceAnswers {
  names: string[];
  chances: Rows;
  /** Whether each answer is that to all that was read so far; else it is the step's own. */
  running: boolean;
  chosen: string[];
  truth: string[];
}
