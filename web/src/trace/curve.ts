// A curve over the steps of a trace, with the cursor in it.
import { atWidth, h } from '../shared/dom';
import type { Stage, View } from './stage';

/** `draw` makes the picture for a width; step `t` of `T` stands at `width * (t + 0.5) / T`. */
export function curveView(
  stage: Stage, title: string, above: (Node | null)[], draw: (width: number) => SVGSVGElement,
): View {
  const frame = h('div', { class: 'curve' });
  const mark = h('div', { class: 'time-mark' });
  frame.addEventListener('click', (event) => {
    const box = frame.getBoundingClientRect();
    stage.go(Math.floor(((event.clientX - box.left) / box.width) * stage.steps));
  });
  atWidth(frame, (width) => frame.replaceChildren(draw(width), mark));
  return {
    element: h('section', {}, h('h3', {}, title), ...above, frame),
    redraw: () => undefined,
    update: () => {
      mark.style.left = `${(100 * (stage.now.step + 0.5)) / stage.steps}%`;
    },
  };
}
