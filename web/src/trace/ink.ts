// A table of numbers from nothing to much, as shades of one colour on a canvas.
import { scaleLinear } from 'd3-scale';
import { h } from '../shared/dom';

const LIGHT = ['#f4f2ed', '#8fb6dd', '#1d5fa6', '#0b2b56'];
const DARK = ['#1d242c', '#24527f', '#5aa2e8', '#e4f2ff'];
const LEVELS = 64;

/** Fills a canvas with `rows`, the first one on top. */
export function ink(canvas: HTMLCanvasElement, rows: ArrayLike<number>[], [low, high]: [number, number], dark: boolean): void {
  const colours = dark ? DARK : LIGHT;
  const scale = scaleLinear<string>().domain(colours.map((_, k) => (k * LEVELS) / (colours.length - 1))).range(colours);
  const shades = Array.from({ length: LEVELS + 1 }, (_, k) => scale(k).match(/\d+/g)!.map(Number));
  const [wide, tall] = [rows[0].length, rows.length];
  const image = h('canvas', { width: wide, height: tall });
  const context = image.getContext('2d')!;
  const pixels = context.createImageData(wide, tall);
  rows.forEach((row, y) => Array.from(row).forEach((value, x) => {
    const level = Math.round(((value - low) / (high - low || 1)) * LEVELS);
    pixels.data.set([...shades[Math.max(0, Math.min(LEVELS, level))], 255], 4 * (y * wide + x));
  }));
  context.putImageData(pixels, 0, 0);
  const to = canvas.getContext('2d')!;
  to.imageSmoothingEnabled = false;
  to.drawImage(image, 0, 0, canvas.width, canvas.height);
}
