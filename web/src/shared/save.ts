// Two small buttons at each view, which save it as a picture.
import { h } from './dom';
import { pictureOf } from './picture';

// More than the screen's own pixels, for paper; less where a browser's canvas would end.
const SHARPNESS = 2;
const LONGEST = 16_000;

/** Gives every view inside `root` its buttons. */
export function offerSaving(root: HTMLElement): void {
  for (const view of root.querySelectorAll<HTMLElement>('.card:not(.trace-card), .trace-card > section, .side > section')) {
    const heading = view.querySelector('h3') ?? view.closest('main > section')?.querySelector('h2');
    const title = heading?.textContent || 'View';
    const button = (kind: string, save: () => void) =>
      h('button', { type: 'button', 'aria-label': `Save “${title}” as ${kind}`, click: save }, kind);
    view.classList.add('saveable');
    view.append(h('div', { class: 'save' },
      button('PNG', () => savePng(view, title)), button('SVG', () => saveSvg(view, title))));
  }
}

function saveSvg(view: HTMLElement, title: string): void {
  download(addressOf(pictureOf(view, title)), `${fileName(title)}.svg`);
}

function savePng(view: HTMLElement, title: string): void {
  const picture = pictureOf(view, title);
  const { width, height } = picture.viewBox.baseVal;
  const ratio = Math.min(Math.max(SHARPNESS, window.devicePixelRatio), LONGEST / Math.max(width, height));
  const image = new Image(width, height);
  image.addEventListener('load', () => {
    const canvas = h('canvas', { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    download(canvas.toDataURL(), `${fileName(title)}.png`);
  });
  image.src = addressOf(picture);
}

function addressOf(picture: SVGSVGElement): string {
  // A text may hold what XML can not: control characters and halves of pairs.
  const text = new XMLSerializer().serializeToString(picture).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, '\ufffd');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

/** `All units over time` becomes `all-units-over-time`. */
export function fileName(title: string): string {
  return title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'view';
}

function download(href: string, name: string): void {
  h('a', { href, download: name }).click();
}
