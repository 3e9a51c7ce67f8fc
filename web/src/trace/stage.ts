// What all views of one trace share: the cursor (step, layer, quantity, unit) and the colours.
import { alikeTogether, palette } from '../shared/heat';
import type { Rows, TraceLayer, TraceRecord } from '../shared/records';
import { byMemory, byProperty, halfLives, type Order, type Ranked } from './orders';
import type { Pair } from './pair';

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
  order: Order;
  /** The steps that are marked, first and last, or none. */
  span: [number, number] | null;
}

export class Stage {
  /** Of a translation, the two sequences. */
  pair: Pair | null = null;
  readonly now: Now;
  readonly steps: number;
  readonly dark = window.matchMedia('(prefers-color-scheme: dark)');
  /** Plays the sound, or holds it; null where there is none. */
  turn: (() => void) | null = null;
  playing = false;
  private readonly views: View[] = [];
  private readonly found = new Map<string, unknown>();

  constructor(readonly trace: TraceRecord) {
    this.steps = trace.inputs.length;
    // The top one, and what a reader expects: the one that reads as he does.
    const forward = trace.layers.findLastIndex((one) => !one.reverse);
    const layer = forward < 0 ? trace.layers.length - 1 : forward;
    // In the middle there is something behind and something ahead.
    this.now = { step: Math.floor(this.steps / 2), layer, quantity: 'h', unit: liveliest(trace.layers[layer]), order: 'alike', span: null };
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
    return this.once(`colours ${this.dark.matches}`, () => palette(this.dark.matches));
  }

  get limit(): number {
    return this.limitOf(this.now.quantity);
  }

  /** Full colour of a quantity of the layer. */
  limitOf(quantity: string): number {
    return this.once(`limit ${this.now.layer} ${quantity}`, () => limitOf(quantityOf(this.layer, quantity), quantity));
  }

  /** The units of the layer, like ones together. */
  get alike(): number[] {
    return this.alikeIn(this.now.layer);
  }

  /** The units of the layer at a place, like ones together. */
  alikeIn(place: number): number[] {
    const { states, units } = this.trace.layers[place];
    return this.once(`alike ${place}`, () => alikeTogether(states.h, { columns: units.length, rows: 1, tile: 1, width: 1, height: 1 }));
  }

  /** The units of the layer in the order that was chosen. */
  get order(): number[] {
    return this.now.order === 'alike' ? this.alike : this.ranked.map(({ unit }) => unit);
  }

  /** The units with what they were sorted by: their half-lives, or their correlation with a property. */
  get ranked(): Ranked[] {
    const { order, layer, quantity } = this.now;
    return this.once(`order ${order} ${layer} ${quantity}`, () =>
      order === 'memory' ? byMemory(halfLives(this.layer), this.layer.units.length) : byProperty(this.rows, this.trace.properties[order]));
  }

  /** What takes a moment to find is found once. */
  once<T>(name: string, find: () => T): T {
    if (!this.found.has(name)) this.found.set(name, find());
    return this.found.get(name) as T;
  }

  go(step: number): void {
    this.now.step = Math.max(0, Math.min(this.steps - 1, step));
    this.pair?.follow(this);
    this.update();
  }

  /** Another layer, quantity or unit, and perhaps another step. */
  choose(what: Partial<Now>): void {
    const { layer } = this.now;
    Object.assign(this.now, what);
    if (this.now.layer !== layer && what.unit === undefined) this.now.unit = liveliest(this.layer);
    if (!quantitiesOf(this.layer).includes(this.now.quantity)) this.now.quantity = 'h';
    this.pair?.follow(this);
    this.redraw();
  }

  /** Marks the steps from one to another, whichever comes first; null marks none. */
  mark(span: [number, number] | null): void {
    this.now.span = span && [Math.min(...span), Math.max(...span)];
    this.update();
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
  const sizes = new Float32Array(rows.length * (rows[0]?.length ?? 0));
  rows.forEach((row, step) => sizes.set(row, step * row.length));
  const known = sizes.map(Math.abs).filter(Number.isFinite).sort();
  return known[Math.floor(0.98 * (known.length - 1))] || 1;
}

/** The unit whose state moves most from step to step. */
export function liveliest(layer: TraceLayer): number {
  const { h: rows } = layer.states;
  const moved = layer.units.map((_, unit) => rows.reduce((sum, row, step) => sum + (step ? Math.abs(row[unit] - rows[step - 1][unit]) : 0), 0));
  return moved.indexOf(Math.max(...moved));
}
