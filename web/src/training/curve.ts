// What every curve of a training shares: smoothing, the range that is shown, axes.
import { quantileSorted } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';
import { s } from '../shared/dom';

export interface Scale {
  (value: number): number;
  ticks(count: number): number[];
}

export interface Margin {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/**
 * The mean of the values around each, over about a twenty-fifth of them: centred, so that it does not lag; at the end over
 * some that came before, so that the last values do not jump about.
 */
export function smooth(values: (number | null)[]): (number | null)[] {
  const reach = Math.floor(values.length / 50);
  const sums = [0];
  const counts = [0];
  for (const value of values) {
    sums.push(sums.at(-1)! + (value ?? 0));
    counts.push(counts.at(-1)! + (value === null ? 0 : 1));
  }
  return values.map((value, k) => {
    if (value === null) return null;
    const after = Math.min(reach, k, values.length - 1 - k);
    const before = Math.min(k, Math.max(after, Math.floor(reach / 3)));
    const [from, to] = [k - before, k + after + 1];
    return (sums[to] - sums[from]) / (counts[to] - counts[from]);
  });
}

/**
 * The range of losses that is drawn. The first few steps are far above the rest: the axis is for what follows, and the
 * line enters from above.
 */
export function rangeOf(values: number[], log = false): [low: number, high: number] {
  const sorted = values.filter((value) => !log || value > 0).sort((a, b) => a - b);
  const low = sorted[0] ?? (log ? 0.1 : 0);
  const high = quantileSorted(sorted, log ? 1 : 0.99) ?? 1;
  if (log) return [low * 0.9, Math.max(high, low * 1.1) * 1.05];
  const span = high - low || Math.abs(high) || 1;
  const room = low - 0.06 * span;
  // Losses that are never negative need no place below zero.
  return [low >= 0 ? Math.max(0, room) : room, high === low ? high + 0.06 * span : high];
}

/** A scale from a range to pixels, its ends at round numbers where it is linear. */
export function scaleOf(range: [number, number], pixels: [number, number], log = false): Scale {
  return log ? scaleLog().domain(range).range(pixels) : scaleLinear().domain(range).nice(4).range(pixels);
}

/** Lines and numbers of the vertical axis. */
export function rows(y: Scale, width: number, margin: Margin, ticks: number[], text: (value: number) => string): SVGElement[] {
  return ticks.flatMap((tick) => [
    s('line', { x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) }),
    s('text', { x: margin.left - 8, y: y(tick), dy: '0.32em', 'text-anchor': 'end' }, text(tick)),
  ]);
}

/** Numbers of the horizontal axis, at the height `at`; of steps only whole ones. */
export function columns(x: Scale, width: number, at: number, text: (value: number) => string, whole = false): SVGElement[] {
  return x.ticks(Math.max(2, Math.floor(width / 110))).filter((tick) => !whole || Number.isInteger(tick))
    .map((tick) => s('text', { x: x(tick), y: at, 'text-anchor': 'middle' }, text(tick)));
}

/** At most about `count` ticks of a logarithmic axis: powers of ten, and 2 and 5 between them where there are few. */
export function powers(y: Scale, range: [number, number], count: number): number[] {
  const decades = Math.log10(range[1] / range[0]);
  const from = Math.floor(Math.log10(range[0]));
  const every = Math.max(1, Math.ceil(decades / count));
  const parts = decades > 2.5 ? [1] : decades > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
  const ticks: number[] = [];
  for (let power = from; power <= Math.log10(range[1]); power += every) {
    ticks.push(...parts.map((part) => part * 10 ** power));
  }
  const inside = ticks.filter((tick) => tick >= range[0] && tick <= range[1]);
  return inside.length >= 2 ? inside : y.ticks(2);
}

/** The place of the last value that fits, or -1. */
export function lastIndex<T>(values: T[], fits: (value: T, place: number) => boolean): number {
  let place = values.length - 1;
  while (place >= 0 && !fits(values[place], place)) place -= 1;
  return place;
}
