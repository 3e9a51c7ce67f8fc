// What all views of a training share: the runs, which of them are shown, over what, from where to where, and the cursor.
import { bisectCenter, bisectRight } from 'd3-array';
import type { RunRecord } from '../shared/records';
import { smooth } from './curve';

export type Over = 'steps' | 'seconds' | 'tokens';

/** A run with what is computed of it once. */
export interface Run {
  readonly place: number;
  readonly record: RunRecord;
  /** The loss, smoothed. */
  readonly smooth: (number | null)[];
  /** Where each point and each validation stands on the horizontal axis. */
  at: number[];
  scored: number[];
}

export interface View {
  element: HTMLElement;
  /** Runs, axis or window are others. */
  redraw(): void;
  /** The cursor is elsewhere. */
  update(): void;
  /** The reader asked for what is here. */
  reveal?(): void;
}

export class Board {
  readonly runs: Run[];
  readonly hidden = new Set<number>();
  over: Over = 'steps';
  log = false;
  /** From where to where; null: all of the runs, as they grow. */
  window: [number, number] | null = null;
  /** In the unit of the axis; null: none. */
  cursor: number | null = null;
  private readonly views: View[] = [];

  constructor(records: RunRecord[]) {
    this.runs = records.map((record, place) => ({ place, record, smooth: smooth(record.loss), at: [], scored: [] }));
    this.measure();
  }

  /** Over what the curves can be drawn. */
  get axes(): Over[] {
    const some = (values: (number | null)[]) => values.some((value) => value !== null);
    return [
      'steps',
      ...(this.runs.some(({ record }) => some(record.seconds)) ? (['seconds'] as const) : []),
      ...(this.runs.some(({ record }) => some(record.tokens)) ? (['tokens'] as const) : []),
    ];
  }

  get shown(): Run[] {
    return this.runs.filter(({ place }) => !this.hidden.has(place));
  }

  get several(): boolean {
    return this.runs.length > 1;
  }

  /** Whether losses and held-out scores stand on one axis: only where all of them are counted in the same. */
  get together(): boolean {
    const units = new Set(this.shown.flatMap(({ record }) => [record.loss_unit, ...(record.validation.length ? [record.score_unit] : [])]));
    return units.size === 1 && !units.has(null);
  }

  get scored(): boolean {
    return this.shown.some(({ record }) => record.validation.length > 0);
  }

  /** From the beginning to the end of all that is shown. */
  get whole(): [number, number] {
    const ends = this.shown.flatMap((run) => [run.at.at(-1) ?? 0, run.scored.at(-1) ?? 0]);
    return [0, Math.max(...ends, 0) || 1];
  }

  get range(): [number, number] {
    return this.window ?? this.whole;
  }

  /** The run as it is now; what the reader has chosen stays. */
  replace(place: number, record: RunRecord): void {
    this.runs[place] = { place, record, smooth: smooth(record.loss), at: [], scored: [] };
    this.measure();
    this.redraw();
  }

  show(views: View[]): void {
    this.views.push(...views);
    this.redraw();
  }

  toggle(place: number): void {
    if (!this.hidden.delete(place)) this.hidden.add(place);
    this.redraw();
  }

  /** Over something else: what is seen and the cursor stay with their steps. */
  along(over: Over): void {
    const first = this.shown[0] ?? this.runs[0];
    const steps = (value: number) => first.record.steps[bisectCenter(first.at, value)];
    const kept = [...(this.window ?? []), ...(this.cursor === null ? [] : [this.cursor])].map(steps);
    this.over = over;
    this.measure();
    const now = kept.map((step) => first.at[bisectCenter(first.record.steps, step)]);
    if (this.window) this.window = [now[0], now[1]];
    if (this.cursor !== null) this.cursor = now.at(-1)!;
    if (this.window && !(this.window[1] > this.window[0])) this.window = null;
    this.redraw();
  }

  scale(log: boolean): void {
    this.log = log;
    this.redraw();
  }

  zoom(window: [number, number] | null): void {
    const [low, high] = this.whole;
    const cut: [number, number] | null = window && [Math.max(low, window[0]), Math.min(high, window[1])];
    this.window = cut && cut[1] > cut[0] && (cut[0] > low || cut[1] < high) ? cut : null;
    this.redraw();
  }

  point(cursor: number | null): void {
    this.cursor = cursor;
    this.update();
  }

  /** Where a step of a run stands on the axis: that of the point that it is in. */
  placeOf(run: Run, step: number): number {
    if (this.over === 'steps') return step;
    return run.at[Math.min(run.at.length - 1, bisectRight(run.record.steps, step - 1))] ?? 0;
  }

  /** The point of a run that is nearest to the cursor, or null where the run has none within its steps. */
  pointOf(run: Run): number | null {
    const { cursor } = this;
    if (cursor === null || !run.at.length) return null;
    const last = run.at.at(-1)!;
    return cursor > last * 1.02 ? null : bisectCenter(run.at, cursor);
  }

  /** Bring the curve into sight, with the cursor where `step` of the run is. */
  lookAt(place: number, step: number): void {
    const at = this.placeOf(this.runs[place], step);
    if (this.window && (at < this.window[0] || at > this.window[1])) this.zoom(null);
    this.point(at);
    this.views.forEach((view) => view.reveal?.());
  }

  redraw(): void {
    this.views.forEach((view) => view.redraw());
    this.update();
  }

  update(): void {
    this.views.forEach((view) => view.update());
  }

  private measure(): void {
    for (const run of this.runs) {
      const { record } = run;
      run.at = ascending(record[this.over]);
      run.scored = ascending(record.validation.map((one) => (this.over === 'steps' ? one.step : one[this.over])));
    }
  }
}

/** Places on an axis: one that is not known is that before it. */
function ascending(values: (number | null)[]): number[] {
  let last = 0;
  return values.map((value) => (last = Math.max(last, value ?? last)));
}

export const colourOf = (run: Run) => `run-${run.place % 8}`;
