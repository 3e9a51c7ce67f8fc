// One forecast drawn: the past as a line, the fan of quantiles, and what came true on top of it.
import { extent } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { s } from '../shared/dom';
import { number } from '../shared/format';
import type { Fan, ForecastSeries } from '../shared/records';
import type { Timeline } from '../shared/timeline';

export interface Band {
  low: string;
  high: string;
  /** How much of what comes should fall inside, in percent. */
  share: number;
}

/** The pairs of quantiles around the median, widest first. */
export function bandsOf(fan: Fan): Band[] {
  const levels = Object.keys(fan.quantiles).sort((a, b) => Number(a) - Number(b));
  const bands: Band[] = [];
  for (const low of levels.filter((level) => Number(level) < 0.5)) {
    const high = levels.find((level) => Math.abs(Number(level) - (1 - Number(low))) < 1e-6);
    if (high !== undefined) bands.push({ low, high, share: Math.round((1 - 2 * Number(low)) * 100) });
  }
  return bands;
}

/** The class of a band, the widest being 0. Each lies on all wider ones, so that their tones mix. */
export const bandClass = (place: number) => `band-${Math.min(place, 2)}`;

/** All that was observed; where nothing was, all that was forecast. */
function rangeOf(series: ForecastSeries): [number, number] {
  const seen = series.y.filter((v): v is number => v !== null);
  const values = seen.length ? seen : series.fans.flatMap((fan) => Object.values(fan.quantiles).flat());
  const [low, high] = extent(values);
  return [low ?? 0, high ?? 1];
}

/** The fans that led up to this one, none over another: each ends where the next begins, or before. */
function earlierFans(series: ForecastSeries, index: number, timeline: Timeline): Fan[] {
  const found: Fan[] = [];
  let next = series.fans[index];
  for (const fan of series.fans.slice(0, index).reverse()) {
    if (timeline.at(fan.ds.at(-1)!) > timeline.at(next.origin)) continue;
    found.push(fan);
    next = fan;
  }
  return found;
}

export interface Place {
  ds: string;
  x: number;
  /** Top of the highest thing drawn at this time. */
  y: number;
}

export interface Drawn {
  svg: SVGSVGElement;
  /** The times that can be pointed at, from left to right. */
  places: Place[];
  height: number;
}

type Point = { at: number; value: number | null };
const known = (p: Point) => p.value !== null;

/** What is seen with this fan: enough of the past to judge it by. */
export function windowOf(series: ForecastSeries, fan: Fan, timeline: Timeline, steps: number): [number, number] {
  const origin = series.ds.indexOf(fan.origin);
  const first = Math.max(0, (origin < 0 ? series.ds.length - 1 : origin) - steps);
  const last = Math.max(...fan.ds.map((ds) => timeline.at(ds)));
  return [timeline.at(series.ds[first]), last];
}

export function drawFan(
  series: ForecastSeries,
  index: number,
  timeline: Timeline,
  size: { width: number; height: number; unit: string; label: string; past?: number },
): Drawn {
  const fan = series.fans[index];
  const { width, height } = size;
  const margin = { top: 26, right: 14, bottom: 28, left: 50 };
  const horizon = fan.ds.length;
  const view = windowOf(series, fan, timeline, size.past ?? Math.max(width < 520 ? 4 * horizon : 5 * horizon, 12));
  const past = series.ds
    .map((ds, k) => ({ at: timeline.at(ds), value: series.y[k] }))
    .filter((p) => p.at >= view[0] && p.at <= view[1]);
  const origin = timeline.at(fan.origin);
  const neighbours = earlierFans(series, index, timeline).filter((other) => timeline.at(other.origin) >= view[0]);
  const shown = [
    ...past.map((p) => p.value),
    ...fan.actual,
    ...[fan, ...neighbours].flatMap((f) => Object.values(f.quantiles).flat()),
  ].filter((v): v is number => v !== null);
  const local = extent(shown) as [number, number];
  const whole = rangeOf(series);
  // Steady axes are calmer; only a series that moves far gets a local one.
  const steady = local[1] - local[0] > 0.5 * (whole[1] - whole[0]);
  const domain = steady ? [Math.min(local[0], whole[0]), Math.max(local[1], whole[1])] : local;
  const x = timeline.scale(view, [margin.left, width - margin.right]);
  const y = scaleLinear().domain(domain).nice(8).range([height - margin.bottom, margin.top]);

  const svg = s('svg', {
    class: 'chart', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': size.label, tabindex: 0,
  });
  const grid = s('g', { class: 'axis' });
  for (const tick of y.ticks(5)) {
    grid.append(
      s('line', { x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) }),
      s('text', { x: margin.left - 8, y: y(tick), dy: '0.32em', 'text-anchor': 'end' }, number(tick)),
    );
  }
  for (const tick of timeline.ticks(view, Math.max(2, Math.floor(width / 110)))) {
    const at = x(tick.at);
    if (at < margin.left + 12 || at > width - margin.right - 10) continue;
    grid.append(s('text', { x: at, y: height - 8, 'text-anchor': 'middle' }, tick.text));
  }
  grid.append(s('text', { x: 2, y: 12, class: 'unit' }, size.unit));
  svg.append(grid);

  const cut = x(origin);
  svg.append(
    s('rect', {
      class: 'future', x: cut, y: margin.top, width: width - margin.right - cut, height: height - margin.top - margin.bottom,
    }),
  );

  const fans = s('g', {});
  for (const other of neighbours) fans.append(fanMarks(other, 'fan faint'));
  fans.append(fanMarks(fan, 'fan'));
  svg.append(fans);

  function fanMarks(one: Fan, kind: string): SVGGElement {
    const at = one.ds.map((ds) => timeline.at(ds));
    const startValue = series.y[series.ds.indexOf(one.origin)] ?? null;
    // The fan opens from the last value that the network knew.
    const start = startValue === null ? [] : [{ at: timeline.at(one.origin), low: startValue, high: startValue }];
    const mark = s('g', { class: kind });
    for (const [k, band] of bandsOf(one).entries()) {
      const rows = [...start, ...at.map((t, j) => ({
        at: t, low: one.quantiles[band.low][j], high: one.quantiles[band.high][j],
      }))];
      const shape = area<(typeof rows)[number]>().x((r) => x(r.at)).y0((r) => y(r.low)).y1((r) => y(r.high));
      mark.append(s('path', { class: `band ${bandClass(k)}`, d: shape(rows) }));
    }
    const median = one.quantiles['0.5'];
    if (median) {
      const rows = [...start.map((r) => ({ at: r.at, value: r.low })), ...at.map((t, j) => ({ at: t, value: median[j] }))];
      mark.append(s('path', { class: 'median', d: line<Point>().x((p) => x(p.at)).y((p) => y(p.value!))(rows) }));
    }
    return mark;
  }

  const path = line<Point>().defined(known).x((p) => x(p.at)).y((p) => y(p.value!));
  svg.append(s('path', { class: 'past', d: path(past.filter((p) => p.at <= origin)) }));
  const truth = fan.ds.map((ds, k) => ({ at: timeline.at(ds), value: fan.actual[k] }));
  const last = past.filter((p) => p.at <= origin && known(p)).at(-1);
  svg.append(s('path', { class: 'truth', d: path(last ? [last, ...truth] : truth) }));
  for (const p of truth.filter(known)) svg.append(s('circle', { class: 'truth-dot', cx: x(p.at), cy: y(p.value!), r: 4 }));

  svg.append(
    s('line', { class: 'origin', x1: cut, x2: cut, y1: margin.top - 8, y2: height - margin.bottom }),
    s('text', { class: 'origin-text', x: cut - 6, y: margin.top - 2, 'text-anchor': 'end' }, 'known until here'),
  );

  const top = new Map<string, number>();
  series.ds.forEach((ds, k) => series.y[k] !== null && top.set(ds, series.y[k]!));
  fan.ds.forEach((ds, k) => top.set(ds, Math.max(...Object.values(fan.quantiles).map((q) => q[k]), fan.actual[k] ?? -Infinity)));
  const places = [...top]
    .map(([ds, value]) => ({ ds, x: x(timeline.at(ds)), y: y(value) }))
    .filter((p) => timeline.at(p.ds) >= view[0] && timeline.at(p.ds) <= view[1])
    .sort((a, b) => a.x - b.x);
  return { svg, places, height };
}

/** The whole series in little, with a mark for each fan and a frame around what the large chart shows. */
export function drawOverview(
  series: ForecastSeries,
  index: number,
  timeline: Timeline,
  width: number,
  onChoose: (index: number) => void,
): SVGSVGElement {
  const height = 46;
  const points = series.ds.map((ds, k) => ({ at: timeline.at(ds), value: series.y[k] }));
  const ends = series.fans.map((fan) => timeline.at(fan.ds.at(-1)!));
  const x = timeline.scale([points[0].at, Math.max(points.at(-1)!.at, ...ends)], [50, width - 14]);
  const y = scaleLinear()
    .domain(rangeOf(series))
    .range([height - 12, 4]);
  const fan = series.fans[index];
  const view = windowOf(series, fan, timeline, Math.max(width < 520 ? 4 * fan.ds.length : 5 * fan.ds.length, 12));
  const svg = s('svg', { class: 'overview', viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' });
  svg.append(
    s('rect', { class: 'frame', x: x(view[0]), y: 0.5, width: x(view[1]) - x(view[0]), height: height - 9, rx: 3 }),
    s('path', { class: 'past', d: line<Point>().defined(known).x((p) => x(p.at)).y((p) => y(p.value!))(points) }),
  );
  series.fans.forEach((one, k) => {
    const at = x(timeline.at(one.origin));
    svg.append(s('line', { class: k === index ? 'mark here' : 'mark', x1: at, x2: at, y1: height - 7, y2: height - 1 }));
  });
  svg.addEventListener('click', (event) => {
    const at = event.clientX - svg.getBoundingClientRect().left;
    const far = series.fans.map((one) => Math.abs(x(timeline.at(one.origin)) - at));
    onChoose(far.indexOf(Math.min(...far)));
  });
  return svg;
}
