// Numbers and findings of a training in words.
import { duration, number } from '../shared/format';
import type { FoundSpan, RunRecord } from '../shared/records';
import type { Over } from './board';
import { overfitsSince } from './overfitting';

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** As `number`; what is very small or large as a power of ten: `6.1×10⁻⁵`. */
export function size(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const magnitude = Math.abs(value);
  if (value === 0 || (magnitude >= 1e-3 && magnitude < 1e6)) return number(value, digits);
  const [front, power] = value.toExponential(digits - 1).split('e');
  const short = front.replace(/\.?0+$/, '').replace('-', '−');
  const raised = [...String(Math.abs(Number(power)))].map((digit) => RAISED[Number(digit)]).join('');
  return `${short === '1' ? '' : `${short}×`}10${Number(power) < 0 ? '⁻' : ''}${raised}`;
}

/** `1,200 of steps`, with the unit of the axis. */
export function place(over: Over, value: number | null): string {
  if (over === 'seconds') return duration(value);
  return over === 'steps' ? `step ${number(value, 9)}` : `${number(value, 4)} tokens`;
}

/** A number of tokens or steps on an axis. */
export function thousands(value: number): string {
  if (value >= 1e6) return `${number(value / 1e6)} M`;
  return value >= 1e4 ? `${number(value / 1e3, 4)} k` : number(value, 4);
}

/** `VanishingGradient` as `Vanishing gradient`. */
export function kindOf(found: FoundSpan): string {
  const words = found.kind.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words || 'Finding';
}

/** When it was seen: `at step 400`, `steps 400 to 1,200, in 3 looks`. */
export function when(found: FoundSpan): string {
  if (found.looks === 1) return `step ${number(found.first, 9)}`;
  return `steps ${number(found.first, 9)} to ${number(found.last, 9)}, in ${found.looks} looks`;
}

/** What a run came to, as a sentence. */
export function runInWords(record: RunRecord): string {
  const last = record.steps.at(-1);
  if (last === undefined) return 'no step yet';
  const seconds = record.seconds.at(-1);
  const time = seconds === null || seconds === undefined ? '' : ` in ${duration(seconds)}`;
  const best = record.validation.find((one) => one.step === record.best);
  const held = best ? `; best held out ${size(best.score, 4)} at step ${number(best.step, 9)}` : '';
  const since = overfitsSince(record);
  const over = since === null ? '' : `; overfitting since step ${number(since, 9)}: held out it gets worse while the loss falls`;
  return `${number(last, 9)} steps${time}; loss ${size(record.loss.at(-1), 4)}${held}${over}`;
}

/** Over how many of the steps the gradient was clipped; null where the log does not say. */
export function clippedInWords(record: RunRecord): string | null {
  const known = record.clipped.filter((share): share is number => share !== null);
  if (!known.length || record.clip === null) return null;
  const share = known.reduce((sum, one) => sum + one, 0) / known.length;
  if (share === 0) return `no gradient above the clip of ${size(record.clip)}`;
  const percent = share < 0.005 ? 'under 1' : String(Math.round(100 * share));
  return `clipped to ${size(record.clip)} in ${percent}% of the steps`;
}
