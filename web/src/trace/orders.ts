// Orders of a layer's units: by how long they hold, or by what of the text they follow.
import type { Rows, TraceLayer } from '../shared/records';

/** "alike", "memory", or the name of a property of the text. */
export type Order = string;

export interface Ranked {
  unit: number;
  /** A half-life in steps, or a correlation. */
  score: number;
}

/** Steps until half is left, measured where it was, else by the gates; null where neither is known. */
export const halfLives = (layer: TraceLayer): Float32Array | null =>
  layer.half_lives.measured ?? layer.half_lives.gates ?? null;

/** The units, those first that hold longest. */
export function byMemory(lives: Float32Array | null, count: number): Ranked[] {
  const ranked = Array.from({ length: count }, (_, unit) => ({ unit, score: lives?.[unit] ?? 0 }));
  return ranked.sort((a, b) => (a.score === b.score ? a.unit - b.unit : b.score - a.score));
}

/** The units, those first that follow a property most closely, up or down. */
export function byProperty(rows: Rows, property: Float32Array): Ranked[] {
  const count = rows[0]?.length ?? 0;
  const ranked = Array.from({ length: count }, (_, unit) => ({ unit, score: correlation(rows.map((row) => row[unit]), [...property]) }));
  return ranked.sort((a, b) => Math.abs(b.score) - Math.abs(a.score) || a.unit - b.unit);
}

/** Pearson's correlation; 0 where one of the two never changes or is not a number. */
export function correlation(one: number[], other: number[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [a, b] = [mean(one), mean(other)];
  let [both, first, second] = [0, 0, 0];
  one.forEach((value, k) => {
    both += (value - a) * (other[k] - b);
    first += (value - a) ** 2;
    second += (other[k] - b) ** 2;
  });
  const found = both / Math.sqrt(first * second);
  return Number.isFinite(found) ? found : 0;
}
