// A look at the gradient through time in a sentence.
import { h } from '../shared/dom';
import { listed, number } from '../shared/format';
import type { GradientProfile } from '../shared/records';
import { slopeOf } from './gradient_profile';
import { size } from './words';

/** Of a gradient that enters at the last step alone. */
export function fromTheLast(profile: GradientProfile): string {
  const { carried, reach, steps } = profile;
  const slope = slopeOf(profile);
  const gets = carried === null ? 'what is not finite' : carried === 0 ? 'nothing' : size(carried);
  return listed([
    ...(slope === null ? [] : [`each step back multiplies it by ${size(10 ** slope)}`]),
    reach === null ? 'it keeps more than a hundredth of its size' : `it keeps a hundredth of its size for ${number(reach, 9)} steps`,
    `the first of ${number(steps, 9)} steps gets ${gets}`,
  ]);
}

/** Of the whole loss, which may enter at every step. */
export function ofTheWhole(profile: GradientProfile): string {
  const share = shareOf(profile);
  const first = `at the first of ${number(profile.steps, 9)} steps`;
  if (share === null) return `${first} it is not known`;
  return share === 1 ? `${first} it is the largest` : `${first} it is ${share === 0 ? 'zero' : `${size(share)} of its largest`}`;
}

/** What the finding says of it; and where little comes from the last step and yet nothing is lost, why that is none. */
export function verdictOf(profile: GradientProfile, of: 'last' | 'loss', vanished: number): HTMLElement | string {
  if (profile.found.includes('ExplodingGradient')) return h('b', {}, 'It explodes.');
  if (profile.found.includes('VanishingGradient')) return h('b', {}, 'It vanishes.');
  const share = shareOf(profile);
  const nothing = profile.carried !== null && profile.carried < vanished;
  return of === 'last' && nothing && share !== null && share >= vanished
    ? 'The first step learns nothing from the last, but from losses nearer to it: that is no finding.' : '';
}

/** The norm at the first step by the largest. */
function shareOf({ norms }: GradientProfile): number | null {
  const largest = Math.max(...norms.map((norm) => norm ?? 0));
  return norms[0] === null || norms[0] === undefined || largest <= 0 ? null : norms[0] / largest;
}
