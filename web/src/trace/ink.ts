// A table of numbers from nothing to much, as shades of one colour on a canvas.
import { scaleLinear } from 'd3-scale';
import { h } from '../shared/dom';

interface Shades {
  light: string[];
  dark: string[];
}

export const SHADES: Shades = { light: ['#f4f2ed', '#8fb6dd', '#1d5fa6', '#0b2b56'], dark: ['#1d242c', '#24527f', '#5aa2e8', '#e4f2ff'] };
/** Of what says nothing. */
export const BLANK: Shades = { light: ['#f4f2ed', '#b9bdc0'], dark: ['#1d242c', '#4d5863'] };
const LEVELS = 64;

/** Fills a canvas with `rows`, the first one on top. */
export function ink(canvas: HTMLCanvasElement, rows: ArrayLike<number>[], [low, high]: [number, number], dark: boolean, shades = SHADES): void {
  const colours = dark ? shades.dark : shades.light;
  const scale = scaleLinear<string>().domain(colours.map((_, k) => (k * LEVELS) / (colours.length - 1))).range(colours);
  const levels = Array.from({ length: LEVELS + 1 }, (_, k) => scale(k).match(/\d+/g)!.map(Number));
  const [wide, tall] = [rows[0].length, rows.length];
  const image = h('canvas', { width: wide, height: tall });
  const context = image.getContext('2d')!;
  const pixels = context.createImageData(wide, tall);
  rows.forEach((row, y) => Array.from(row).forEach((value, x) => {
    const level = Math.round(((value - low) / (high - low || 1)) * LEVELS);
    pixels.data.set([...levels[Math.max(0, Math.min(LEVELS, level))], 255], 4 * (y * wide + x));
  }));
  context.putImageData(pixels, 0, 0);
  const to = canvas.getContext('2d')!;
  to.imageSmoothingEnabled = false;
  to.drawImage(image, 0, 0, canvas.width, canvas.height);
}
