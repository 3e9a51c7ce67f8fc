// The user's words in what a model read: steps are characters or pieces of words where the inputs join to the text.
import { visible } from '../shared/format';
import type { TraceRecord } from '../shared/records';

export interface Word {
  text: string;
  first: number;
  /** The step that completes it; its answer is the word's. */
  last: number;
}

/** Every step belongs to one word. A space goes with the word after it, one at the end with the word before. */
export function wordsOf({ inputs, joined }: Pick<TraceRecord, 'inputs' | 'joined'>): Word[] {
  if (!joined) return inputs.map((text, step) => ({ text, first: step, last: step }));
  const words: Word[] = [];
  inputs.forEach((piece, step) => {
    const open = words.at(-1);
    if (open && !(open.text.trim() && /^\s/.test(piece))) {
      open.text += piece;
      open.last = step;
    } else words.push({ text: piece, first: step, last: step });
  });
  const end = words.at(-1);
  if (words.length > 1 && end && !end.text.trim()) words.splice(-2, 2, { ...words.at(-2)!, last: end.last });
  return words.map((word) => ({ ...word, text: word.text.trim() }));
}

/** The place of the word that a step belongs to. */
export function wordAt(words: Word[], step: number): number {
  return words.findIndex((word) => step <= word.last);
}

/** Each piece as it stands alone: without the space before it, and with a hyphen where it goes on with the word before. */
export function piecesOf(texts: string[], joined: boolean): string[] {
  const whole = !joined || texts.every((text) => text.length <= 1);
  return texts.map((text, k) => {
    const goesOn = k > 0 && /^[\p{L}\p{M}\p{N}]/u.test(text) && /[\p{L}\p{M}\p{N}]$/u.test(texts[k - 1]);
    return visible(whole ? text : goesOn ? `‐${text}` : text.trim() || text);
  });
}
