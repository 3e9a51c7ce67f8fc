// The story as a numbered row, with the text of the contest that is on.
import { h } from '../shared/dom';
import type { Facts, Preset } from './records';

export interface Story {
  element: HTMLElement;
  show: (facts: Facts) => void;
}

export function story(presets: Preset[], choose: (name: string) => void): Story {
  const buttons = presets.map((preset, place) => h('button', { type: 'button', class: 'chapter', click: () => choose(preset.name) },
    h('b', { 'aria-hidden': 'true' }, place + 1), h('span', {}, preset.title)));
  const text = h('div', { class: 'tale' });
  let shown = '';
  return {
    element: h('section', { class: 'lab-story', 'aria-label': 'The story' },
      h('ol', { class: 'chapters' }, ...buttons.map((button) => h('li', {}, button))), text),
    show({ preset: name, settings }) {
      const place = presets.findIndex((preset) => preset.name === name);
      const preset = presets[place];
      const own = JSON.stringify(settings) !== JSON.stringify(preset.settings);
      buttons.forEach((button, k) => (k === place ? button.setAttribute('aria-current', 'step') : button.removeAttribute('aria-current')));
      if (shown === `${name} ${own}`) return;
      shown = `${name} ${own}`;
      const part = (title: string, words: string) => h('div', {}, h('h3', {}, title), h('p', {}, words));
      const next = presets[place + 1];
      text.replaceChildren(
        h('h2', {}, `${place + 1}. ${preset.title}`, own ? h('small', {}, ' with settings of your own') : null),
        h('div', { class: 'tale-parts' }, part('What to look at', preset.look), part('What happens, and why', preset.why),
          h('div', {}, h('h3', {}, 'Try next'), h('p', {}, preset.more),
            own ? h('button', { type: 'button', class: 'wide', click: () => choose(preset.name) }, 'Back to the chapter’s settings')
              : next ? h('button', { type: 'button', class: 'wide', click: () => choose(next.name) }, `On to ${place + 2}: ${next.title}`) : null)));
    },
  };
}
