// Whether a network has begun to learn its examples by heart: what it gains on them it loses on others.
import type { RunRecord } from '../shared/records';
import { smooth } from './curve';

/** Validations after the best one before anything is said. */
const FEWEST = 3;
/** The best is long past when it lies in this part of the run. */
const PAST = 2 / 3;
const WORSE = 0.01;
/** Of all pairs of scores since the best, by how much those that rise outnumber those that fall. */
const RISING = 0.5;

/**
 * The step of the best held-out score, where it is long past, the scores since then rise and the loss still fell; null
 * otherwise.
 */
export function overfitsSince(record: RunRecord): number | null {
  const place = record.validation.findIndex((one) => one.step === record.best);
  const last = record.steps.at(-1);
  if (place < 0 || last === undefined || record.best! > PAST * last) return null;
  const scores = record.validation.slice(place).map((one) => one.score).filter((score): score is number => score !== null);
  if (scores.length <= FEWEST) return null;
  const recent = scores.slice(-FEWEST).reduce((sum, score) => sum + score, 0) / FEWEST;
  if (!(recent - scores[0] > WORSE * Math.abs(scores[0])) || trendOf(scores) < RISING) return null;
  const losses = smooth(record.loss);
  const then = losses[record.steps.findIndex((step) => step >= record.best!)];
  const now = losses.at(-1);
  return then != null && now != null && now < then ? record.best : null;
}

/** 1 where each score is above all before it, -1 where below (Kendall's tau). */
export function trendOf(scores: number[]): number {
  let [sum, pairs] = [0, 0];
  scores.forEach((later, k) => scores.slice(0, k).forEach((earlier) => {
    sum += Math.sign(later - earlier);
    pairs += 1;
  }));
  return pairs ? sum / pairs : 0;
}
