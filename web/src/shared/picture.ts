// A view as one SVG of its own: no style sheet, no script, no address of anything outside. What is text stays text, what
// is a line stays a line, and a canvas becomes an image inside.
import { h, s } from './dom';

const PADDING = 20;
const DRAWN = [
  'fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin',
  'opacity', 'paint-order', 'font-family', 'font-size', 'font-weight', 'font-style', 'text-anchor', 'dominant-baseline',
] as const;
const LEFT_OUT = '.save, .stepper, .pick, .tip, .unseen, [hidden], button, select, input, fieldset, details';

/** The view as it is drawn now, in its colours, on the ground of a card. `title` stands on top where the view has none. */
export function pictureOf(view: HTMLElement, title: string): SVGSVGElement {
  const page = laidOut(view, title);
  try {
    const place = page.getBoundingClientRect();
    const [width, height] = [Math.ceil(place.width), Math.ceil(place.height)];
    const picture = s('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` },
      s('title', {}, title), s('rect', { width, height, fill: getComputedStyle(page).backgroundColor }));
    for (const part of page.children) draw(part, { left: place.left, top: place.top, into: picture });
    return picture;
  } finally {
    page.remove();
  }
}

/** A copy beside the view and out of sight, so that the page's styles hold, without what is there to be pressed. */
function laidOut(view: HTMLElement, title: string): HTMLElement {
  const copy = view.cloneNode(true) as HTMLElement;
  const canvases = view.querySelectorAll('canvas');
  copy.querySelectorAll('canvas').forEach((canvas, k) => {
    const { width, height } = canvases[k].getBoundingClientRect();
    canvas.replaceWith(h('img', { src: canvases[k].toDataURL(), style: `display: block; width: ${width}px; height: ${height}px` }));
  });
  copy.querySelectorAll(LEFT_OUT).forEach((part) => part.remove());
  // What scrolls is shown whole.
  const hidden = [view, ...view.querySelectorAll<HTMLElement>('.scroll')].map((part) => part.scrollWidth - part.clientWidth);
  const { paddingLeft, paddingRight } = getComputedStyle(view);
  const width = view.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) + Math.max(...hidden) + 2 * PADDING;
  const page = h('div', { class: 'saving', style: `width: ${width}px; padding: ${PADDING}px` },
    copy.querySelector('h3, caption') ? null : h('h3', {}, title), copy);
  view.parentElement!.append(page);
  return page;
}

interface Place {
  left: number;
  top: number;
  into: SVGElement;
}

function draw(element: Element, place: Place): void {
  if (element instanceof SVGSVGElement) {
    place.into.append(inlined(element, place));
    return;
  }
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden') return;
  if (style.opacity !== '1') {
    const faint = s('g', { opacity: style.opacity });
    place.into.append(faint);
    place = { ...place, into: faint };
  }
  box(element, style, place);
  if (element instanceof HTMLImageElement) {
    const { x, y, width, height } = at(element.getBoundingClientRect(), place);
    place.into.append(s('image', { x, y, width, height, href: element.src, preserveAspectRatio: 'none' }));
  }
  for (const child of element.childNodes) {
    if (child instanceof Element) draw(child, place);
    else if (child instanceof Text) lines(child, style, place);
  }
}

function at(rect: DOMRect, { left, top }: Place): { x: number; y: number; width: number; height: number } {
  const near = (value: number) => Math.round(100 * value) / 100;
  return { x: near(rect.left - left), y: near(rect.top - top), width: near(rect.width), height: near(rect.height) };
}

/** An `<svg>` of the page with what its styles say written at each element. */
function inlined(svg: SVGSVGElement, place: Place): SVGSVGElement {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [from, to] = [svg, copy].map((root) => [root, ...root.querySelectorAll<SVGElement>('*')]);
  from.forEach((element, k) => {
    const style = getComputedStyle(element);
    if (style.display === 'none') to[k].setAttribute('display', 'none');
    for (const name of DRAWN) {
      const value = style.getPropertyValue(name);
      const inherited = k > 0 && element.parentElement !== null && getComputedStyle(element.parentElement).getPropertyValue(name) === value;
      // What is not inherited by itself is written where it is not the default.
      if (name === 'opacity' ? value !== '1' : !inherited) to[k].setAttribute(name, value);
      else to[k].removeAttribute(name);
    }
    for (const name of ['class', 'style', 'tabindex', 'role', 'aria-hidden', 'aria-label']) to[k].removeAttribute(name);
  });
  Object.entries(at(svg.getBoundingClientRect(), place)).forEach(([name, value]) => copy.setAttribute(name, String(value)));
  return copy;
}

const seen = (colour: string) => colour !== 'transparent' && !/^rgba\(.*, 0\)$|\/ 0\)$/.test(colour);

/** Ground and borders. */
function box(element: Element, style: CSSStyleDeclaration, place: Place): void {
  const { x, y, width, height } = at(element.getBoundingClientRect(), place);
  if (seen(style.backgroundColor)) {
    place.into.append(s('rect', { x, y, width, height, rx: Math.min(parseFloat(style.borderTopLeftRadius) || 0, height / 2), fill: style.backgroundColor }));
  }
  const sides: [string, number, number, number, number][] = [
    ['top', x, y, x + width, y], ['bottom', x, y + height, x + width, y + height],
    ['left', x, y, x, y + height], ['right', x + width, y, x + width, y + height],
  ];
  for (const [side, x1, y1, x2, y2] of sides) {
    const [wide, colour] = [parseFloat(style.getPropertyValue(`border-${side}-width`)), style.getPropertyValue(`border-${side}-color`)];
    if (wide > 0 && seen(colour)) place.into.append(s('line', { x1, y1, x2, y2, stroke: colour, 'stroke-width': wide }));
  }
  const outline = style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth);
  if (outline > 0) place.into.append(s('rect', { x, y, width, height, rx: 4, fill: 'none', stroke: style.outlineColor, 'stroke-width': outline }));
}

/** The words of a text, a line of them at a time, where they stand. */
function lines(text: Text, style: CSSStyleDeclaration, place: Place): void {
  const range = document.createRange();
  let line: { start: number; end: number; rect: DOMRect } | null = null;
  const finish = () => {
    if (!line) return;
    const { x, y, height } = at(line.rect, place);
    place.into.append(s('text', {
      x, y: y + height * ascent(style), fill: style.color, 'font-family': style.fontFamily, 'font-size': style.fontSize,
      'font-weight': style.fontWeight, 'font-style': style.fontStyle, 'xml:space': 'preserve',
    }, text.data.slice(line.start, line.end)));
  };
  for (const word of text.data.matchAll(/\S+/g)) {
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    const rect = range.getBoundingClientRect();
    if (line && Math.abs(line.rect.top - rect.top) < 2) line.end = word.index + word[0].length;
    else {
      finish();
      line = { start: word.index, end: word.index + word[0].length, rect };
    }
  }
  finish();
}

const ascents = new Map<string, number>();
/** The share of a line's height that lies above its base. */
function ascent({ fontStyle, fontWeight, fontSize, fontFamily }: CSSStyleDeclaration): number {
  const font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  if (!ascents.has(font)) {
    const context = document.createElement('canvas').getContext('2d')!;
    context.font = font;
    const { fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = context.measureText('x');
    ascents.set(font, above / (above + below));
  }
  return ascents.get(font)!;
}
