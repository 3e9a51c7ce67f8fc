// What all views of one trace share: the cursor (step, layer, quantity, unit) and the colours.
import { alikeTogether, palette } from '../shared/heat';
import type { TraceLayer, TraceRecord } from '../shared/records';

export type Rows = number[][];
export const GATES = new Set(['i', 'f', 'o', 'r', 'z', 'keep']);

/** One view of a trace. It never computes on a model: all that it shows stands in the trace. */
export interface View {
  element: HTMLElement;
  /** The layer, the quantity, the unit or the colours are others. */
  redraw(): void;
  /** The step is another. */
  update(): void;
}

export interface Now {
  step: number;
  layer: number;
  quantity: string;
  /** The place of the unit among those that are kept, not its number. */
  unit: number;
}

export class Stage {
  readonly now: Now;
  readonly steps: number;
  readonly dark = window.matchMedia('(prefers-color-scheme: dark)');
  private readonly views: View[] = [];
  private readonly orders: (number[] | undefined)[] = [];

  constructor(readonly trace: TraceRecord) {
    this.steps = trace.inputs.length;
    const layer = trace.layers.length - 1;
    this.now = { step: 0, layer, quantity: 'h', unit: liveliest(trace.layers[layer]) };
    this.dark.addEventListener('change', () => this.redraw());
  }

  show(views: View[]): void {
    this.views.push(...views);
    this.redraw();
  }

  get layer(): TraceLayer {
    return this.trace.layers[this.now.layer];
  }

  get rows(): Rows {
    return quantityOf(this.layer, this.now.quantity);
  }

  /** The value of the quantity for the unit under the cursor, step by step. */
  get values(): number[] {
    return this.rows.map((row) => row[this.now.unit]);
  }

  get colours(): string[] {
    return palette(this.dark.matches);
  }

  get limit(): number {
    return limitOf(this.rows, this.now.quantity);
  }

  /** The units of the layer, like ones together. */
  get alike(): number[] {
    const { layer } = this.now;
    this.orders[layer] ??= alikeTogether(this.layer.states.h,
      { columns: this.layer.units.length, rows: 1, tile: 1, width: 1, height: 1 });
    return this.orders[layer];
  }

  go(step: number): void {
    this.now.step = Math.max(0, Math.min(this.steps - 1, step));
    this.update();
  }

  /** Another layer, quantity or unit, and perhaps another step. */
  choose(what: Partial<Now>): void {
    const { layer } = this.now;
    Object.assign(this.now, what);
    if (this.now.layer !== layer && what.unit === undefined) this.now.unit = liveliest(this.layer);
    if (!quantitiesOf(this.layer).includes(this.now.quantity)) this.now.quantity = 'h';
    this.redraw();
  }

  redraw(): void {
    this.views.forEach((view) => view.redraw());
    this.update();
  }

  update(): void {
    this.views.forEach((view) => view.update());
  }
}

export const nameOf = (layer: TraceLayer) => `${layer.name}, layer ${layer.index + 1}${layer.reverse ? ', backward' : ''} (${layer.cell})`;

export function quantitiesOf(layer: TraceLayer): string[] {
  return [...Object.keys(layer.states), ...Object.keys(layer.gates), ...Object.keys(layer.gradients).map((name) => `d${name}`)];
}

export function quantityOf(layer: TraceLayer, name: string): Rows {
  return layer.states[name] ?? layer.gates[name] ?? layer.gradients[name.slice(1)];
}

export function spelled(name: string): string {
  if (name.startsWith('d')) return `gradient by ${name.slice(1)}`;
  return GATES.has(name) ? `gate ${name}` : name;
}

/** Full colour: a gate's 1, and for the rest the size that nearly all values stay below. */
export function limitOf(rows: Rows, name: string): number {
  if (GATES.has(name)) return 1;
  const sizes = rows.flat().map(Math.abs).sort((a, b) => a - b);
  return sizes[Math.floor(0.98 * (sizes.length - 1))] || 1;
}

/** The unit whose state moves most from step to step. */
export function liveliest(layer: TraceLayer): number {
  const { h: rows } = layer.states;
  const moved = layer.units.map((_, unit) => rows.reduce((sum, row, step) => sum + (step ? Math.abs(row[unit] - rows[step - 1][unit]) : 0), 0));
  return moved.indexOf(Math.max(...moved));
}
