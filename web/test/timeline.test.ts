import { describe, expect, test } from 'vitest';
import { Timeline } from '../src/shared/timeline';

describe('a timeline of dates', () => {
  test('keeps the distances between days', () => {
    const line = new Timeline(['2024-01-01', '2024-01-02', '2024-01-05']);
    const [first, second, third] = ['2024-01-01', '2024-01-02', '2024-01-05'].map((ds) => line.at(ds));
    expect(third - second).toBe(3 * (second - first));
  });
  test('takes a time without a zone as it stands, on every machine', () => {
    const line = new Timeline(['2024-07-01 12:00', '2024-07-01T13:00']);
    expect(line.at('2024-07-01 12:00')).toBe(Date.UTC(2024, 6, 1, 12));
    expect(line.label('2024-07-01 12:00')).toBe('1 Jul 2024 12:00');
  });
  test('says days by day, and months without their day', () => {
    expect(new Timeline(['2024-01-01', '2024-01-02']).label('2024-01-02')).toBe('2 Jan 2024');
    expect(new Timeline(['2024-01-31', '2024-02-29', '2024-03-31']).label('2024-02-29')).toBe('Feb 2024');
  });
  test('has its ticks inside the domain', () => {
    const line = new Timeline(['2024-01-01', '2024-12-31']);
    const domain: [number, number] = [line.at('2024-01-01'), line.at('2024-12-31')];
    const ticks = line.ticks(domain, 6);
    expect(ticks.length).toBeGreaterThan(2);
    for (const { at } of ticks) expect(at >= domain[0] && at <= domain[1]).toBe(true);
  });
});

describe('a timeline of anything else', () => {
  const line = new Timeline(['week 3', 'week 1', 'week 3', '2024-01-01']);
  test('counts places in the order in which they came, each once', () => {
    expect(['week 3', 'week 1', '2024-01-01'].map((ds) => line.at(ds))).toEqual([0, 1, 2]);
    expect(line.at('never')).toBeNaN();
  });
  test('names its ticks, at places that there are', () => {
    expect(line.ticks([0, 2], 3).map((tick) => tick.text)).toEqual(['week 3', 'week 1', '2024-01-01']);
    expect(line.ticks([-3, 9], 12).every(({ at }) => at >= 0 && at <= 2)).toBe(true);
  });
});
