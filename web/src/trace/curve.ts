// A curve over the steps of a trace, with the cursor in it.
import { atWidth, h } from '../shared/dom';
import type { Stage, View } from './stage';

/**
 * `draw` makes the picture for a width; step `t` of `T` stands at `width * (t + 0.5) / T`. `told` says what the curve is
 * at a step.
 */
export function curveView(
  stage: Stage, title: string, above: (Node | null)[], draw: (width: number) => SVGSVGElement, told?: (step: number) => string,
): View {
  const picture = h('div', {});
  const mark = h('div', { class: 'time-mark' });
  const value = h('div', { class: 'curve-value' });
  const frame = h('div', { class: 'curve' }, picture, mark, told ? value : null);
  let width = 0;
  frame.addEventListener('click', (event) => {
    const box = frame.getBoundingClientRect();
    stage.go(Math.floor(((event.clientX - box.left) / box.width) * stage.steps));
  });
  const redraw = () => {
    if (width) picture.replaceChildren(draw(width));
  };
  atWidth(frame, (now) => {
    width = now;
    redraw();
  });
  return {
    element: h('section', {}, h('h3', {}, title), ...above, frame),
    redraw,
    update: () => {
      const share = (stage.now.step + 0.5) / stage.steps;
      mark.style.left = `${100 * share}%`;
      if (!told) return;
      value.textContent = told(stage.now.step);
      value.style.left = `${100 * share}%`;
      // On the side where there is room.
      value.classList.toggle('before', share > 0.6);
    },
  };
}
