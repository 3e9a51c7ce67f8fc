// Elements in one call, so that the rest of the page reads like the tree that it builds.

type Value = string | number | boolean | null | undefined | ((event: never) => void);
type Child = Node | string | number | null | undefined | false;
const SVG = 'http://www.w3.org/2000/svg';

function fill<E extends Element>(element: E, attributes: Record<string, Value>, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value as unknown as EventListener);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
  return element;
}

/** An HTML element; a function among the attributes listens to the event of that name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element; see `h`. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

let ids = 0;
/** A new id, for labels and the things that they name. */
export function uid(prefix: string): string {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** Calls `draw` with the width of `element`, now and whenever the width changes. */
export function atWidth(element: HTMLElement, draw: (width: number) => void): void {
  let last = -1;
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width > 0 && width !== last) {
      last = width;
      draw(width);
    }
  }).observe(element);
}

/** A choice of a few, as radio buttons that look like one bar. */
export function choice(
  label: string,
  options: { value: string; text: string }[],
  chosen: string,
  onChange: (value: string) => void,
): HTMLElement {
  const name = uid('choice');
  return h(
    'fieldset',
    { class: 'choice' },
    h('legend', { class: 'unseen' }, label),
    ...options.map(({ value, text }) =>
      h(
        'label',
        {},
        h('input', { type: 'radio', name, value, checked: value === chosen, change: () => onChange(value) }),
        h('span', {}, text),
      ),
    ),
  );
}
