// A layer's state as a small heat map: one tile a unit, blue below zero, orange above.
import { scaleLinear } from 'd3-scale';

const LIGHT = ['#123f7a', '#6f9fd0', '#f4f2ed', '#eb9a52', '#993a00'];
const DARK = ['#8ccaff', '#2f6ca8', '#222a33', '#a9591a', '#ffb46b'];
const LEVELS = 64;

export interface Grid {
  columns: number;
  rows: number;
  tile: number;
  width: number;
  height: number;
}

/** A near-square grid without a ragged last row where the count of units allows it. */
export function gridOf(units: number): Grid {
  const root = Math.max(1, Math.ceil(Math.sqrt(units)));
  let columns = root;
  for (let c = root; c <= 2 * root; c += 1) {
    if (units % c === 0) {
      columns = c;
      break;
    }
  }
  const tile = Math.max(3, Math.min(14, Math.floor(84 / columns)));
  const rows = Math.ceil(units / columns);
  return { columns, rows, tile, width: columns * tile, height: rows * tile };
}

/** Colours from -1 to 1 in even steps, for the theme that is on. */
export function palette(dark: boolean): string[] {
  const scale = scaleLinear<string>().domain([-1, -0.5, 0, 0.5, 1]).range(dark ? DARK : LIGHT);
  return Array.from({ length: 2 * LEVELS + 1 }, (_, k) => scale((k - LEVELS) / LEVELS));
}

export function colour(value: number, limit: number, colours: string[]): string {
  const k = Math.round((value / limit) * LEVELS) + LEVELS;
  return colours[Math.max(0, Math.min(2 * LEVELS, k))];
}

/** The heat map as an image inside the page, drawn at the screen's own pixels so that the tiles stay sharp. */
export function heatMap(values: (number | null)[], grid: Grid, limit: number, colours: string[]): string {
  const ratio = Math.max(1, Math.round((window.devicePixelRatio || 1) * 2) / 2);
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(grid.width * ratio);
  canvas.height = Math.round(grid.height * ratio);
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  values.forEach((value, unit) => {
    context.fillStyle = colour(value ?? 0, limit, colours);
    const gap = grid.tile >= 5 ? 0.5 : 0;
    context.fillRect((unit % grid.columns) * grid.tile, Math.floor(unit / grid.columns) * grid.tile, grid.tile - gap, grid.tile - gap);
  });
  return canvas.toDataURL();
}

/**
 * An order of the units in which neighbours behave alike over the text: sorted by the first principal component of their
 * values over time into the grid's columns, and by the second within each. Gives unit numbers in reading order.
 */
export function alikeTogether(rows: ArrayLike<number | null>[], grid: Grid): number[] {
  const steps = rows.length;
  const units = rows[0]?.length ?? 0;
  const profile = (unit: number) => Float64Array.from(rows, (row) => finite(row[unit]));
  const profiles = Array.from({ length: units }, (_, unit) => profile(unit));
  const mean = Array.from({ length: steps }, (_, t) => profiles.reduce((sum, p) => sum + p[t], 0) / Math.max(1, units));
  const centred = profiles.map((p) => p.map((value, t) => value - mean[t]));
  const first = direction(centred);
  const along = centred.map((p) => dot(p, first));
  const second = direction(centred.map((p, unit) => p.map((value, t) => value - along[unit] * first[t])));
  const across = centred.map((p) => dot(p, second));

  const byFirst = Array.from({ length: units }, (_, unit) => unit).sort((a, b) => along[a] - along[b] || a - b);
  const order: number[] = [];
  let taken = 0;
  for (let column = 0; column < grid.columns; column += 1) {
    // The last row may be short: the columns beyond its end hold one unit less.
    const full = units - (grid.rows - 1) * grid.columns;
    const size = column < full ? grid.rows : grid.rows - 1;
    const part = byFirst.slice(taken, taken + size).sort((a, b) => across[a] - across[b] || a - b);
    part.forEach((unit, row) => (order[row * grid.columns + column] = unit));
    taken += size;
  }
  return order;
}

type Vector = Float64Array;

/** What is not a number has no say in the order. */
const finite = (value: number | null | undefined) => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += a[k] * b[k];
  return sum;
}

/** The direction of greatest spread, by power iteration from a fixed start. */
function direction(points: Vector[]): Vector {
  const size = points[0]?.length ?? 0;
  let v = Float64Array.from({ length: size }, (_, k) => 1 + 0.01 * k);
  for (let round = 0; round < 40; round += 1) {
    const next = new Float64Array(size);
    for (const p of points) {
      const weight = dot(p, v);
      for (let k = 0; k < size; k += 1) next[k] += weight * p[k];
    }
    const length = Math.sqrt(dot(next, next));
    if (length < 1e-12) return v.map(() => 0);
    v = next.map((value) => value / length);
  }
  return v;
}
