// Which layer, quantity and unit the views show.
import { choice, h } from '../shared/dom';
import { nameOf, quantitiesOf, spelled, type Stage, type View } from './stage';

export function controls(stage: Stage): View {
  const { trace, now } = stage;
  const layers = h('select', { 'aria-label': 'Layer', change: () => stage.choose({ layer: Number(layers.value) }) },
    ...trace.layers.map((layer, k) => h('option', { value: k }, nameOf(layer))));
  const wrong = h('span', { class: 'quiet', role: 'status' });
  const unit = h('input', { type: 'number', min: 0, 'aria-label': 'Unit', input: () => {
    const place = unit.value === '' ? -1 : stage.layer.units.indexOf(Number(unit.value));
    wrong.textContent = place < 0 && unit.value !== '' ? `unit ${unit.value} is not one of those that are kept` : '';
    unit.setAttribute('aria-invalid', String(place < 0));
    if (place >= 0) stage.choose({ unit: place });
  } });
  const quantities = h('span', {});
  return {
    element: h('div', { class: 'controls' },
      h('span', { class: 'pick' }, 'Layer ', layers), quantities, h('span', { class: 'pick' }, 'unit ', unit), wrong),
    redraw() {
      layers.value = String(now.layer);
      unit.value = String(stage.layer.units[now.unit]);
      unit.max = String(Math.max(...stage.layer.units));
      unit.setAttribute('aria-invalid', 'false');
      wrong.textContent = '';
      const options = quantitiesOf(stage.layer).map((value) => ({ value, text: spelled(value) }));
      quantities.replaceChildren(choice('What the colours show', options, now.quantity, (quantity) => stage.choose({ quantity })));
    },
    update: () => undefined,
  };
}
