// The few units that stand for a whole cell where it is drawn small, as tiles of a grid.
import type { TraceLayer } from '../shared/records';
import type { Stage } from './stage';

const [COLUMNS, ROWS, SIZE, MARGIN] = [6, 4, 9, 5];
/** A cell with its tiles. */
export const TILED = { wide: COLUMNS * (SIZE + 1) + 6, high: ROWS * (SIZE + 1) + 8 };

/** Where the tile at a place lies in a cell that begins at `y` and whose middle is 0. */
export function tileOf(place: number, y: number): { x: number; y: number; width: number; height: number; rx: number } {
  const [column, row] = [place % COLUMNS, Math.floor(place / COLUMNS)];
  return { x: column * (SIZE + 1) - (COLUMNS * (SIZE + 1)) / 2 + 0.5, y: row * (SIZE + 1) + y + MARGIN, width: SIZE, height: SIZE, rx: 1.5 };
}

/** The units of the layer at a place that are drawn: all, or those that change most, like ones together; the chosen one always. */
export function tileUnits(stage: Stage, place: number): number[] {
  const units = stage.once(`tiles ${place}`, () => liveliest(stage.alikeIn(place), stage.trace.layers[place]));
  if (place !== stage.now.layer || units.includes(stage.now.unit)) return units;
  return [...units.slice(0, -1), stage.now.unit];
}

function liveliest(alike: number[], { states }: TraceLayer): number[] {
  const spread = alike.map((unit) => {
    let [least, most] = [Infinity, -Infinity];
    for (const row of states.h) {
      least = Math.min(least, row[unit]);
      most = Math.max(most, row[unit]);
    }
    return most - least;
  });
  const enough = [...spread].sort((a, b) => b - a)[Math.min(COLUMNS * ROWS, alike.length) - 1];
  return alike.filter((_, k) => !(spread[k] < enough)).slice(0, COLUMNS * ROWS);
}

/** How much of the old state a step keeps, 0 to 1, by the gate that says so; null for a cell without one. */
export function keptAt(layer: TraceLayer, step: number): number | null {
  const gate = layer.gates.f ?? layer.gates.z ?? layer.gates.keep;
  if (layer.cuts[step]) return 0;
  if (!gate) return null;
  return gate[step].reduce((sum, value) => sum + value, 0) / gate[step].length;
}
