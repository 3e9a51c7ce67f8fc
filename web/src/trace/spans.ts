// Which units are on in a span of steps, and off right before and after it.
// Source: Strobelt et al. 2018, arXiv 1606.07461 (LSTMVis).
import type { Rows } from '../shared/records';

export interface OnThere {
  unit: number;
  /** 1 for units that are high there, -1 for those that are low. */
  sign: 1 | -1;
  /** The share of the steps outside of the span where it is on as well. */
  elsewhere: number;
}

/** On is half of a unit's own largest size, and a tenth of the layer's at least. */
const HALF = 0.5;
const LEAST = 0.1;

/** The units that are on at every step of a span and off beside it; those first that are on nowhere else. */
export function unitsOn(rows: Rows, [first, last]: [number, number], limit: number): OnThere[] {
  const found: OnThere[] = [];
  for (let unit = 0; unit < (rows[0]?.length ?? 0); unit += 1) {
    const size = rows.reduce((most, row) => Math.max(most, Math.abs(row[unit])), 0);
    const threshold = Math.max(HALF * size, LEAST * limit);
    for (const sign of [1, -1] as const) {
      const on = (step: number) => sign * rows[step][unit] >= threshold;
      const beside = [first - 1, last + 1].filter((step) => step >= 0 && step < rows.length);
      if (!every(first, last, on) || beside.some(on)) continue;
      const outside = rows.length - (last - first + 1);
      const count = rows.filter((_, step) => (step < first || step > last) && on(step)).length;
      found.push({ unit, sign, elsewhere: outside ? count / outside : 0 });
    }
  }
  return found.sort((a, b) => a.elsewhere - b.elsewhere || a.unit - b.unit);
}

function every(first: number, last: number, on: (step: number) => boolean): boolean {
  for (let step = first; step <= last; step += 1) if (!on(step)) return false;
  return true;
}
