import { expect, test } from 'vitest';
import { fileName } from '../src/shared/save';

test('a file is named after the title, whatever stands in it', () => {
  expect(fileName('All units over time')).toBe('all-units-over-time');
  expect(fileName('../../Über “a/b”, 7 °C')).toBe('über-a-b-7-c');
  expect(fileName('…')).toBe('view');
});
