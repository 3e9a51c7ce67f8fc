// Numbers, symbols and words as a reader wants them.

/** About `digits` significant digits, thousands grouped, a true minus; an en dash for what is not there. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const decimals = size === 0 ? 0 : Math.max(0, Math.min(6, digits - 1 - Math.floor(Math.log10(size))));
  return value
    .toLocaleString('en-GB', { minimumFractionDigits: 0, maximumFractionDigits: decimals })
    .replace('-', '−');
}

/** As `number`, and what is very small or very large as a power of ten. */
export function sized(value: number, digits = 2): string {
  if (!Number.isFinite(value) || value === 0) return number(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? number(value, digits) : value.toExponential(digits - 1).replace(/-/g, '−').replace('+', '');
}

/** A fixed count of decimals, for columns of numbers that are compared. */
export function fixed(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return value
    .toLocaleString('en-GB', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    .replace('-', '−');
}

/** A probability as whole percent, without the sign: the column says it. */
export function percent(p: number): string {
  if (p >= 0.995) return p >= 0.9995 ? '100' : '>99';
  return p < 0.005 ? '<1' : String(Math.round(p * 100));
}

/** Points of a hundred between two probabilities as `percent` shows them: what is read and its change agree. */
export function pointsBetween(before: number, after: number): number {
  return Math.round(after * 100) - Math.round(before * 100);
}

/** `1 step`, `2 steps`. */
export function counted(count: number, name: string): string {
  return `${number(count, 12)} ${name}${count === 1 ? '' : 's'}`;
}

/** `0.01`, `1`, `100`, and beyond these `10⁻⁸`. */
export function powerOfTen(power: number): string {
  if (Math.abs(power) < 3) return String(10 ** power);
  return `10${String(power).replace('-', '⁻').replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])}`;
}

/** `90 s`, `2 min 41 s`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds < 120) return `${number(seconds, seconds < 10 ? 2 : 3)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

// Nothing: a token that is only a part of a character.
const VISIBLE: Record<string, string> = { '': '·', ' ': '␣', '\n': '⏎', '\t': '⇥', '\r': '␍', '\u00a0': '⍽' };
const SPOKEN: Record<string, string> = { '': 'part of a character', ' ': 'space', '\n': 'new line', '\t': 'tab', '\r': 'carriage return' };

/** A symbol as it is drawn: blanks become signs. */
export function visible(symbol: string): string {
  if (symbol in VISIBLE) return VISIBLE[symbol];
  const code = symbol.codePointAt(0) ?? 0;
  return symbol.length === 1 && code < 32 ? String.fromCodePoint(0x2400 + code) : symbol;
}

/** A symbol as it is said. */
export function spoken(symbol: string): string {
  return SPOKEN[symbol] ?? symbol;
}

/** A symbol inside a sentence: the word for a blank, quotes around the rest. */
export function quoted(symbol: string): string {
  return SPOKEN[symbol] ?? `“${visible(symbol)}”`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
