// A data set's forecasts: a chart to step through, what it says in words, and the same as a table.
import { atWidth, h, s, uid } from '../shared/dom';
import { bandClass, bandsOf, drawFan, drawOverview, type Drawn } from './fanchart';
import { number } from '../shared/format';
import type { Fan, ForecastPanel, ForecastSeries } from '../shared/records';
import { Timeline } from '../shared/timeline';

export function forecastPanel(panel: ForecastPanel): HTMLElement {
  const withFans = panel.series.filter((series) => series.fans.length > 0);
  const title = uid('panel');
  const root = h('article', { class: 'card forecast', 'aria-labelledby': title }, h('h3', { id: title }, panel.name));
  if (panel.story) root.append(h('p', { class: 'story' }, panel.story));
  if (withFans.length === 0) {
    root.append(h('p', { class: 'quiet' }, 'No forecasts were recorded for this data set.'));
    return root;
  }

  let series = withFans[0];
  let timeline = timelineOf(series);
  let index = startOf(series);
  let width = 0;
  let drawn: Drawn | null = null;
  let pointed = -1;

  const chart = h('div', { class: 'chart-box' });
  const overview = h('div', {});
  const tip = h('div', { class: 'tip', role: 'status', hidden: true });
  const frame = h('div', { class: 'chart-frame' }, chart, tip);
  const saying = h('p', { class: 'saying', 'aria-live': 'polite' });
  const table = h('div', { class: 'scroll' });
  const sliderId = uid('slider');
  const slider = h('input', {
    type: 'range', id: sliderId, min: 0, step: 1, class: 'fan-slider', input: () => go(Number(slider.value)),
  });
  const where = h('span', { class: 'where' });
  const back = h('button', { type: 'button', 'aria-label': 'Earlier forecast', click: () => go(index - 1) }, '‹');
  const forth = h('button', { type: 'button', 'aria-label': 'Later forecast', click: () => go(index + 1) }, '›');

  const top = h('div', { class: 'forecast-top' }, legend(series.fans[0]));
  if (withFans.length > 1) {
    const select = h(
      'select',
      {
        change: () => {
          series = withFans[Number(select.value)];
          timeline = timelineOf(series);
          index = startOf(series);
          draw();
        },
      },
      ...withFans.map((one, k) => h('option', { value: k }, one.id)),
    );
    top.append(h('label', { class: 'pick' }, 'Series ', select));
  }
  root.append(
    top,
    frame,
    overview,
    h(
      'div',
      { class: 'stepper' },
      back,
      h('label', { for: sliderId, class: 'unseen' }, `Which forecast of ${panel.name}`),
      slider,
      forth,
      where,
    ),
    saying,
    h('details', {}, h('summary', {}, 'This forecast as a table'), table),
  );

  function go(to: number): void {
    index = Math.max(0, Math.min(series.fans.length - 1, to));
    draw();
  }

  function draw(): void {
    if (width === 0) return;
    const fan = series.fans[index];
    const made = timeline.label(fan.origin);
    const words = inWords(fan, panel.unit);
    const hadFocus = chart.contains(document.activeElement);
    drawn = drawFan(series, index, timeline, {
      width,
      height: width < 520 ? 260 : 330,
      unit: panel.unit,
      label: `${panel.name}${withFans.length > 1 ? `, ${series.id}` : ''}: forecast made at ${made}. ${words} Arrow keys read the values.`,
    });
    drawn.svg.addEventListener('pointermove', (event) => {
      point(nearest(event.clientX - drawn!.svg.getBoundingClientRect().left));
    });
    drawn.svg.addEventListener('pointerleave', () => point(-1));
    drawn.svg.addEventListener('blur', () => point(-1));
    drawn.svg.addEventListener('keydown', (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (move === undefined) return;
      event.preventDefault();
      const from = pointed < 0 ? drawn!.places.findIndex((p) => p.ds === fan.origin) : pointed;
      point(Math.max(0, Math.min(drawn!.places.length - 1, from + move)));
    });
    chart.replaceChildren(drawn.svg);
    if (hadFocus) drawn.svg.focus();
    overview.replaceChildren(drawOverview(series, index, timeline, width, go));
    point(-1);

    slider.max = String(series.fans.length - 1);
    slider.value = String(index);
    slider.setAttribute('aria-valuetext', `made at ${made}, ${index + 1} of ${series.fans.length}`);
    back.disabled = index === 0;
    forth.disabled = index === series.fans.length - 1;
    where.replaceChildren(h('b', {}, made), ` · ${index + 1} of ${series.fans.length}`);
    saying.textContent = words;
    table.replaceChildren(fanTable(fan, timeline, panel, made));
  }

  function nearest(at: number): number {
    const far = drawn!.places.map((place) => Math.abs(place.x - at));
    return far.indexOf(Math.min(...far));
  }

  function point(to: number): void {
    pointed = to;
    drawn?.svg.querySelector('.pointer')?.remove();
    tip.hidden = to < 0;
    if (to < 0 || !drawn) return;
    const place = drawn.places[to];
    drawn.svg.append(s('line', { class: 'pointer', x1: place.x, x2: place.x, y1: 22, y2: drawn.height - 28 }));
    tip.replaceChildren(...tipRows(place.ds));
    // On the side with more room, so that the tip never covers the fan's next steps or leaves the chart.
    const left = place.x < width / 2;
    tip.style.left = left ? `${place.x + 12}px` : 'auto';
    tip.style.right = left ? 'auto' : `${width - place.x + 12}px`;
  }

  function tipRows(ds: string): Node[] {
    const fan = series.fans[index];
    const k = fan.ds.indexOf(ds);
    const rows: Node[] = [h('b', {}, timeline.label(ds))];
    const row = (name: string, value: string) => rows.push(h('span', {}, `${name} `, h('i', {}, value)));
    if (k < 0) {
      const at = series.ds.indexOf(ds);
      row('observed', at < 0 ? '–' : number(series.y[at]));
      return rows;
    }
    row('came true', number(fan.actual[k]));
    if (fan.quantiles['0.5']) row('median', number(fan.quantiles['0.5'][k]));
    for (const band of bandsOf(fan).reverse()) {
      row(`${band.share}%`, `${number(fan.quantiles[band.low][k])} to ${number(fan.quantiles[band.high][k])}`);
    }
    return rows;
  }

  atWidth(frame, (now) => {
    width = now;
    draw();
  });
  return root;
}

function timelineOf(series: ForecastSeries): Timeline {
  return new Timeline([...series.ds, ...series.fans.flatMap((fan) => [fan.origin, ...fan.ds])]);
}

/** Not the first fan: a few before it show how the forecasts followed one another. */
function startOf(series: ForecastSeries): number {
  return Math.floor(series.fans.length * 0.6);
}

export function inWords(fan: Fan, unit: string): string {
  const came = fan.actual.map((value, k) => ({ value, k })).filter((a) => a.value !== null);
  if (came.length === 0) return 'What came true is not known yet.';
  const parts: string[] = [];
  const band = bandsOf(fan)[0];
  if (band) {
    const inside = came.filter(
      ({ value, k }) => value! >= fan.quantiles[band.low][k] && value! <= fan.quantiles[band.high][k],
    );
    parts.push(`${inside.length} of ${came.length} values came inside the ${band.share}% band`);
  }
  const median = fan.quantiles['0.5'];
  if (median) {
    const error = came.reduce((sum, { value, k }) => sum + Math.abs(value! - median[k]), 0) / came.length;
    parts.push(`the median was off by ${[number(error, 2), unit].filter(Boolean).join(' ')} on average`);
  }
  return parts.length ? `${parts.join('; ')}.` : '';
}

export function fanTable(fan: Fan, timeline: Timeline, panel: Pick<ForecastPanel, 'name' | 'unit'>, made: string): HTMLTableElement {
  const levels = Object.keys(fan.quantiles).sort((a, b) => Number(a) - Number(b));
  const name = (level: string) => (Number(level) === 0.5 ? 'median' : `${Math.round(Number(level) * 100)}%`);
  return h(
    'table',
    { class: 'numbers' },
    h('caption', {}, `${panel.name}, in ${panel.unit}: quantiles of the forecast made at ${made}, and what came true.`),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'time'), ...levels.map((level) => h('th', { scope: 'col' }, name(level))),
      h('th', { scope: 'col' }, 'came true'))),
    h('tbody', {}, ...fan.ds.map((ds, k) =>
      h('tr', {}, h('th', { scope: 'row' }, timeline.label(ds)),
        ...levels.map((level) => h('td', {}, number(fan.quantiles[level][k]))),
        h('td', {}, number(fan.actual[k]))))),
  );
}

export function legend(fan: Fan): HTMLElement {
  const item = (kind: string, text: string, ...layers: Node[]) => h('li', {}, h('span', { class: `swatch ${kind}` }, ...layers), text);
  const bands = bandsOf(fan);
  // A band is seen through all wider ones and what marks the future, and its swatch is laid in the same layers.
  const layers = (place: number) => [
    h('i', { class: 'future' }), ...bands.slice(0, place + 1).map((_, k) => h('i', { class: bandClass(k) })),
  ];
  return h(
    'ul',
    { class: 'legend', 'aria-hidden': 'true' },
    item('sw-past', 'known'),
    item('sw-truth', 'came true'),
    item('sw-median', 'median forecast'),
    ...bands.map(({ share }, place) => item('sw-band', `${share}% of outcomes`, ...layers(place))).reverse(),
  );
}
