// How the symbols of a trace are called: a translator's line break is the end of a sentence.
import { quoted, spoken } from '../shared/format';
import type { TraceRecord } from '../shared/records';

const END = 'the end of the sentence';

/** A symbol inside a sentence, as `quoted` has it. */
export function named({ model }: Pick<TraceRecord, 'model'>, symbol: string): string {
  return model === 'Translator' && symbol === '\n' ? END : quoted(symbol);
}

/** The same as it is heard, as `spoken` has it. */
export function heard({ model }: Pick<TraceRecord, 'model'>, symbol: string): string {
  return model === 'Translator' && symbol === '\n' ? END : spoken(symbol);
}

/** What a step read: the first of a translation is its beginning, written with the same symbol. */
export function readAt(trace: Pick<TraceRecord, 'model' | 'inputs'>, step: number, call = named): string {
  const symbol = trace.inputs[step];
  if (trace.model === 'Transcriber') return `the sound at ${symbol}`;
  return step === 0 && call(trace, symbol) === END ? 'the beginning of the translation' : call(trace, symbol);
}
