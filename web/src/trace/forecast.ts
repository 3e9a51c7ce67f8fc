// What a forecaster read, the fan of what it foretells, and what came true; the step under the cursor lies on the past.
import { bandsOf, drawFan, type Drawn } from '../page/fanchart';
import { fanTable, inWords, legend } from '../page/forecasts';
import { atWidth, h, s } from '../shared/dom';
import type { Fan, ForecastSeries, TraceRecord } from '../shared/records';
import { Timeline } from '../shared/timeline';
import type { Stage, View } from './stage';

const HIGH = 340;
/** More bands than this can't be told apart. */
const BANDS = 3;

/** Null for a trace without a series and a fan. */
export function forecastView(stage: Stage): View | null {
  const { trace } = stage;
  if (!trace.series || !trace.fan) return null;
  const { reads, times } = trace.series;
  const series = seriesOf(trace);
  const [fan] = series.fans;
  const few = fewer(fan);
  const timeline = new Timeline([...series.ds, ...fan.ds]);
  const name = `${series.id}: the past that was read, and the forecast`;
  const box = h('div', { class: 'chart-box' });
  let drawn: Drawn | null = null;
  const band = s('rect', { class: 'step-mark', y: 26 });

  function mark(): void {
    if (!drawn) return;
    const x = new Map(drawn.places.map((place) => [place.ds, place.x]));
    const [begin, end] = reads[stage.now.step];
    const known = series.ds.slice(begin, end).map((ds) => x.get(ds)).filter((at) => at !== undefined);
    band.toggleAttribute('hidden', known.length === 0);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const wide = Math.max(5, high - low + 4);
    band.setAttribute('x', String((low + high - wide) / 2));
    band.setAttribute('width', String(wide));
  }

  atWidth(box, (width) => {
    drawn = drawFan({ ...series, fans: [few] }, 0, timeline, { width, height: HIGH, unit: series.id, label: `${name}. ${inWords(fan, '')}`, past: times.length });
    band.setAttribute('height', String(HIGH - 54));
    drawn.svg.append(band);
    // Points at the past: each place belongs to the step that read it.
    drawn.svg.addEventListener('click', (event) => {
      const at = event.clientX - drawn!.svg.getBoundingClientRect().left;
      const far = drawn!.places.map((place) => Math.abs(place.x - at));
      const place = series.ds.indexOf(drawn!.places[far.indexOf(Math.min(...far))].ds);
      const step = reads.findIndex(([begin, end]) => place >= begin && place < end);
      if (step >= 0) stage.go(step);
    });
    box.replaceChildren(drawn.svg);
    mark();
  });
  return {
    element: h('section', { class: 'task forecast' }, h('h3', {}, 'The forecast'),
      h('p', { class: 'quiet' }, `${name}. The bar marks what the step under the cursor read.`),
      h('div', { class: 'forecast-top' }, legend(few)), box,
      h('p', { class: 'saying' }, inWords(fan, '')), coverage(fan),
      h('details', {}, h('summary', {}, 'The numbers'),
        h('div', { class: 'scroll' }, fanTable(fan, timeline, { name: series.id, unit: 'its own unit' }, timeline.label(fan.origin))))),
    redraw: mark,
    update: mark,
  };
}

function seriesOf({ series, fan }: TraceRecord): ForecastSeries {
  const quantiles = Object.fromEntries(fan!.levels.map((level, k) => [String(level), fan!.quantiles.map((row) => row[k])]));
  const { name, times, values } = series!;
  return { id: name, ds: times, y: values, fans: [{ ds: fan!.times, quantiles, actual: fan!.truth, origin: times.at(-1)! }] };
}

/** The widest bands, the narrowest and what lies between. */
function fewer(fan: Fan): Fan {
  const bands = bandsOf(fan);
  if (bands.length <= BANDS) return fan;
  const kept = [bands[0], bands[Math.ceil((bands.length - 1) / 2)], bands.at(-1)!];
  const levels = new Set(['0.5', ...kept.flatMap(({ low, high }) => [low, high])]);
  return { ...fan, quantiles: Object.fromEntries(Object.entries(fan.quantiles).filter(([level]) => levels.has(level))) };
}

/** How many of the values that came each band holds; null where nothing came. */
function coverage(fan: Fan): HTMLElement | null {
  const came = fan.actual.map((value, k) => ({ value, k })).filter(({ value }) => value !== null);
  if (!came.length) return null;
  return h('table', { class: 'numbers coverage' },
    h('caption', {}, 'Values that came, inside each band'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'band'), h('th', { scope: 'col' }, 'inside'), h('th', { scope: 'col' }, 'share'))),
    h('tbody', {}, ...bandsOf(fan).map(({ low, high, share }) => {
      const inside = came.filter(({ value, k }) => value! >= fan.quantiles[low][k] && value! <= fan.quantiles[high][k]).length;
      return h('tr', {}, h('th', { scope: 'row' }, `${share}%`), h('td', {}, `${inside} of ${came.length}`),
        h('td', {}, `${Math.round((100 * inside) / came.length)}%`));
    })));
}
