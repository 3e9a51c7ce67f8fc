// What came after a step, whatever was expected.
import type { TraceRecord } from '../shared/records';

/** Of a translation the token that was answered, else what the next step reads; undefined where that is not known. */
export const cameAfter = ({ inputs, expected }: TraceRecord, step: number): string | undefined =>
  expected?.came?.length ? expected.came[step] : inputs[step + 1];

/** How many steps there are after which it is known what came. */
export const countOfCame = ({ inputs, expected }: TraceRecord): number => (expected?.came?.length ? inputs.length : inputs.length - 1);
