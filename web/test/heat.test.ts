import { describe, expect, test } from 'vitest';
import { alikeTogether, colour, gridOf, palette } from '../src/shared/heat';

/** Units of two kinds, mixed: a sine over time and its mirror image, each a little off by itself. */
function twoKinds(units: number, steps = 12): { rows: number[][]; kinds: boolean[] } {
  const kinds = Array.from({ length: units }, (_, unit) => (unit * 7) % 11 < 5);
  const rows = Array.from({ length: steps }, (_, step) =>
    kinds.map((kind, unit) => (kind ? 1 : -1) * Math.sin(step) + 0.01 * Math.cos(3 * unit + step)));
  return { rows, kinds };
}

describe('the grid of a layer', () => {
  test('has a place for every unit, and no row too many', () => {
    for (let units = 1; units <= 300; units += 1) {
      const { columns, rows, tile, width, height } = gridOf(units);
      expect(columns * rows).toBeGreaterThanOrEqual(units);
      expect(columns * (rows - 1)).toBeLessThan(units);
      expect([width, height]).toEqual([columns * tile, rows * tile]);
    }
  });
  test('has no ragged end where the count allows it', () => {
    expect(gridOf(256)).toMatchObject({ columns: 16, rows: 16 });
    expect(gridOf(24)).toMatchObject({ columns: 6, rows: 4 });
  });
});

describe('the order of units', () => {
  test('holds every unit once', () => {
    for (const units of [1, 2, 7, 24, 31]) {
      const order = alikeTogether(twoKinds(units).rows, gridOf(units));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: units }, (_, unit) => unit));
    }
  });
  test('makes neighbours of units that behave alike', () => {
    const { rows, kinds } = twoKinds(40);
    const order = alikeTogether(rows, { columns: 40, rows: 1, tile: 1, width: 40, height: 1 });
    const changes = (row: boolean[]) => row.filter((kind, k) => k > 0 && kind !== row[k - 1]).length;
    expect(changes(kinds)).toBeGreaterThan(10);
    expect(changes(order.map((unit) => kinds[unit]))).toBe(1);
  });
  test('is that of the numbers where all units are the same', () => {
    expect(alikeTogether([[1, 1, 1], [2, 2, 2]], { columns: 3, rows: 1, tile: 1, width: 3, height: 1 })).toEqual([0, 1, 2]);
  });
  test('takes a value that is not there for zero', () => {
    expect(alikeTogether([[null, 1]], gridOf(2))).toHaveLength(2);
  });
});

describe('colours', () => {
  const channels = (css: string) => css.match(/\d+/g)!.map(Number);
  test('run from blue below zero to orange above, and stop at the limit', () => {
    for (const dark of [false, true]) {
      const colours = palette(dark);
      const [red, , blue] = channels(colour(0.5, 1, colours));
      expect(red).toBeGreaterThan(blue);
      const below = channels(colour(-0.5, 1, colours));
      expect(below[2]).toBeGreaterThan(below[0]);
      expect(colour(7, 1, colours)).toBe(colours.at(-1));
      expect(colour(-7, 1, colours)).toBe(colours[0]);
      expect(colour(0, 1, colours)).toBe(colours[(colours.length - 1) / 2]);
    }
  });
});
