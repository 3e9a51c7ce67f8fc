import { describe, expect, test } from 'vitest';
import type { GradientProfile, RunRecord } from '../src/shared/records';
import { withRoom } from '../src/training/gradient_axes';
import { fromTheLast, ofTheWhole, verdictOf } from '../src/training/gradient_words';
import { overfitsSince, trendOf } from '../src/training/overfitting';

/** A run of as many steps as it has losses, scored at every tenth of it. */
function run(scores: number[], loss: (share: number) => number = (share) => 1 - share): RunRecord {
  const steps = Array.from({ length: 100 }, (_, k) => k + 1);
  const best = scores.indexOf(Math.min(...scores));
  return {
    steps, loss: steps.map((step) => loss(step / 100)), best: 10 * (best + 1),
    validation: scores.map((score, k) => ({ step: 10 * (k + 1), score, seconds: null, tokens: null })),
  } as unknown as RunRecord;
}

describe('overfitting', () => {
  test('begins at the best score where later ones rise while the loss falls', () => {
    expect(overfitsSince(run([3, 2, 1, 1.1, 1.3, 1.2, 1.5, 1.6, 1.8, 2]))).toBe(30);
    expect(overfitsSince(run([0, 0.1, 0.2, 0.3]))).toBe(10);
  });
  test('is not said of scores that stay, that are few, or whose best is lately', () => {
    expect(overfitsSince(run([3, 2, 1, 1.02, 1.01, 1.03, 1.01, 1.02, 1.01, 1.02]))).toBe(null);
    expect(overfitsSince(run([3, 2, 1, 1.002, 1.003, 1.004, 1.005, 1.006, 1.007, 1.008]))).toBe(null);
    expect(overfitsSince(run([1, 2, 3]))).toBe(null);
    expect(overfitsSince(run([3, 2.5, 2, 2, 2, 2, 1, 1.5, 2, 3]))).toBe(null);
    expect(overfitsSince(run([3, 2.5, 2, 1.5, 1]))).toBe(null);
  });
  test('is not said where the loss rises too, or nothing was scored', () => {
    expect(overfitsSince(run([3, 1, 1.5, 2, 2.5, 3], (share) => share))).toBe(null);
    expect(overfitsSince(run([]))).toBe(null);
  });
  test('the trend counts pairs', () => {
    expect([trendOf([1, 2, 3]), trendOf([3, 2, 1]), trendOf([1, 1]), trendOf([])]).toEqual([1, -1, 0, 0]);
  });
});

describe('the axis of gradients', () => {
  const limits = [{ at: 1e-7, name: '', below: true }, { at: 1e3, name: '', below: false }];
  const share = (low: number, high: number, value: number) => Math.log10(value / low) / Math.log10(high / low);
  test('has room for the name of each limit in its zone', () => {
    for (const range of [[1e-8, 1e4], [1e-7, 1e3], [1e-2, 10], [1e-12, 1e3]] as [number, number][]) {
      const [low, high] = withRoom(range, limits);
      expect(share(low, high, 1e-7)).toBeGreaterThan(0.1);
      expect(share(low, high, 1e3)).toBeLessThan(0.9);
      expect(low).toBeLessThanOrEqual(range[0]);
      expect(high).toBeGreaterThanOrEqual(range[1] * 0.999);
    }
  });
  test('is left alone where there is room, and without limits', () => {
    expect(withRoom([1e-12, 1e9], limits).map(Math.log10).map(Math.round)).toEqual([-12, 9]);
    expect(withRoom([1e-2, 10], []).map(Math.log10).map(Math.round)).toEqual([-2, 1]);
  });
});

describe('a look at the gradient in words', () => {
  const profile = (more: Partial<GradientProfile>) => ({
    where: '', cell: '', steps: 3, places: [1, 2, 3], norms: [0.5, 1, 0.25], carried: 0.25, peak: 1, reach: null,
    lags: [0, 1, 2], back: [1, 0.5, 0.25], found: [], ...more,
  } as GradientProfile);
  const said = (found: GradientProfile, of: 'last' | 'loss') => {
    const verdict = verdictOf(found, of, 1e-7);
    return typeof verdict === 'string' ? verdict : verdict.textContent;
  };
  test('of the last step tells the factor, of the whole loss the share of the first', () => {
    expect(fromTheLast(profile({}))).toBe('each step back multiplies it by 0.5, it keeps more than a hundredth of its size and the first of 3 steps gets 0.25');
    expect(ofTheWhole(profile({}))).toBe('at the first of 3 steps it is 0.5 of its largest');
    expect(ofTheWhole(profile({ norms: [0, 1] }))).toBe('at the first of 3 steps it is zero');
    expect(ofTheWhole(profile({ norms: [null, 1] }))).toBe('at the first of 3 steps it is not known');
  });
  test('says of what is no finding why it is none, only where it is seen', () => {
    expect(said(profile({ carried: 1e-9 }), 'last')).toContain('that is no finding');
    expect(said(profile({ carried: 1e-9 }), 'loss')).toBe('');
    expect(said(profile({ carried: 1e-9, norms: [0, 1] }), 'last')).toBe('');
    expect(said(profile({}), 'last')).toBe('');
  });
});
