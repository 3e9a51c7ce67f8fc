// One look at the gradient through time, with the other looks faint behind it.
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { s } from '../shared/dom';
import { number } from '../shared/format';
import type { GradientProfile } from '../shared/records';
import { colourOf, type Run } from './board';
import type { Gradients, Seen } from './gradient';
import { chart, gradientAxis, MARGIN, underneath, type Limit } from './gradient_axes';
import { size } from './words';

/** Other looks that are drawn. */
const GHOSTS = 24;

interface Curve {
  run: Run;
  step: number;
  /** Where on the horizontal axis, and how large. */
  points: [at: number, norm: number | null][];
}

/**
 * The mean change of log₁₀ of what is left, for a step back: the slope of the line of least squares through all that is
 * not rounded to zero. Null where there are not two such points.
 */
export function slopeOf(profile: GradientProfile): number | null {
  const known = profile.lags.flatMap((lag, k) => {
    const norm = profile.back[k];
    return norm !== null && norm > 0 ? [[lag, Math.log10(norm)]] : [];
  });
  if (known.length < 2) return null;
  const mean = (nth: number) => known.reduce((sum, pair) => sum + pair[nth], 0) / known.length;
  const [lag, value] = [mean(0), mean(1)];
  const spread = known.reduce((sum, pair) => sum + (pair[0] - lag) ** 2, 0);
  return known.reduce((sum, pair) => sum + (pair[0] - lag) * (pair[1] - value), 0) / spread;
}

export function drawProfiles(gradients: Gradients, seen: Seen[], width: number): SVGSVGElement {
  const { of } = gradients;
  const several = seen.length > 1;
  const curve = (run: Run, step: number, profile: GradientProfile): Curve => ({ run, step, points: pointsOf(profile, of, several) });
  const front = seen.map(({ run, step, profile }) => curve(run, step, profile));
  const behind = seen.flatMap(({ run, step }) => others(gradients, run, step).map((profile) => curve(run, step, profile)));
  const all = [...front, ...behind].flatMap(({ points }) => points);
  const x = scaleLinear().domain(domainOf(all.map(([at]) => at), of)).range([MARGIN.left, width - MARGIN.right]);
  const y = gradientAxis(all.flatMap(([, norm]) => norm ?? []), limitsOf(front, of), width);
  const path = (points: Curve['points']) =>
    line<Curve['points'][number]>().defined(([, norm]) => norm !== null).x(([at]) => x(at)).y(([, norm]) => y.of(norm!))(points) ?? '';
  const ticks = x.ticks(Math.max(2, Math.floor(width / 90))).filter(Number.isInteger).map((tick) => ({ at: x(tick), text: number(tick, 9) }));
  const vertical = of === 'last' ? 'norm, logarithmic' : several ? '‖∂L/∂h‖ by its largest, logarithmic' : '‖∂L/∂h‖, logarithmic';
  return chart(width, inWords(front, of), 'profile-chart', ...y.behind,
    s('g', { class: 'axis' }, s('text', { x: 2, y: 12 }, vertical)),
    underneath(ticks, of === 'last' ? 'steps back from the last' : 'step of the sequence', width),
    ...behind.map(({ run, points }) => s('path', { class: `run ${colourOf(run)} ghost`, d: path(points) })),
    ...front.map(({ run, points }) => s('g', { class: `run ${colourOf(run)}` },
      s('path', { class: 'smooth profile', d: path(points) }),
      ...(several ? [] : points.flatMap(([at, norm]) => (norm === null ? [] : [s('circle', { class: 'profile-point', r: 2.4, cx: x(at), cy: y.of(norm) })]))))),
    ...y.before);
}

function pointsOf(profile: GradientProfile, of: Gradients['of'], several: boolean): Curve['points'] {
  if (of === 'last') return profile.lags.map((lag, k) => [lag, profile.back[k]]);
  // Of several runs each by its largest, so that they compare.
  const unit = several ? Math.max(...profile.norms.map((norm) => norm ?? 0)) || 1 : 1;
  return profile.places.map((place, k) => [place, profile.norms[k] === null ? null : profile.norms[k]! / unit]);
}

/** Time runs to the right: of steps back, the most stand on the left. */
function domainOf(places: number[], of: Gradients['of']): [number, number] {
  const last = Math.max(...places, of === 'last' ? 1 : 2);
  return of === 'last' ? [last, 0] : [1, last];
}

function limitsOf(curves: Curve[], of: Gradients['of']): Limit[] {
  if (!curves.length) return [];
  const { vanished, exploded } = curves[0].run.record;
  if (of === 'last') {
    return [{ at: vanished, name: `vanishing: below ${size(vanished, 2)}`, below: true }, { at: exploded, name: `exploding: above ${number(exploded)}`, below: false }];
  }
  // A loss at many steps makes some gradients larger than others: only its vanishing is judged.
  const largest = Math.max(...curves.map(({ points }) => Math.max(...points.map(([, norm]) => norm ?? 0))));
  return largest > 0 ? [{ at: largest * vanished, name: `vanishing: ${size(vanished, 2)} of the largest`, below: true }] : [];
}

function others({ where }: Gradients, run: Run, step: number): GradientProfile[] {
  const looks = run.record.looks.filter((look) => look.step !== step);
  const every = Math.max(1, Math.ceil(looks.length / GHOSTS));
  return looks.filter((_, k) => k % every === 0).flatMap((look) => look.layers.filter((layer) => layer.where === where));
}

function inWords(curves: Curve[], of: Gradients['of']): string {
  const name = of === 'last' ? 'What is left of a gradient that enters at the last step' : 'Gradient of the loss by the state of each step';
  return `${name}. ${curves.map(({ run, step, points }) => {
    const known = points.filter(([, norm]) => norm !== null);
    const told = known.length ? `from ${size(known[0][1])} at ${known[0][0]} to ${size(known.at(-1)![1])} at ${known.at(-1)![0]}` : 'not known';
    const missing = points.length - known.length;
    return `${run.record.name}, training step ${step}: ${told}${missing ? `, not finite at ${missing}` : ''}`;
  }).join('. ')}.`;
}
