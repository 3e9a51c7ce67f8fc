// What of a text a unit may follow: a number for each step, after what was read there.

export const PROPERTIES = {
  quotes: 'inside quotes',
  brackets: 'depth of brackets',
  indentation: 'indentation of the line',
  line: 'place in the line',
  word: 'place in the word',
} as const;

export type Property = keyof typeof PROPERTIES;

/** One state for a text that is read character by character. */
class Reader {
  quote = '';
  depth = 0;
  place = 0;
  inWord = 0;
  indent = 0;
  private onlyBlanks = true;
  private last = '';

  read(symbol: string): void {
    if (this.quote) {
      if (symbol === this.quote || symbol === '\n') this.quote = '';
    } else if (symbol === '"' || (symbol === "'" && !/\p{L}/u.test(this.last))) {
      this.quote = symbol; // an apostrophe inside a word opens nothing
    }
    if ('([{'.includes(symbol)) this.depth += 1;
    if (')]}'.includes(symbol)) this.depth = Math.max(0, this.depth - 1);
    if (symbol === '\n') {
      this.place = 0;
      this.indent = 0;
      this.onlyBlanks = true;
    } else {
      this.place += 1;
      if (this.onlyBlanks && symbol === ' ') this.indent += 1;
      else this.onlyBlanks = false;
    }
    this.inWord = /[\p{L}\p{N}]/u.test(symbol) ? this.inWord + 1 : 0;
    this.last = symbol;
  }

  get(property: Property): number {
    switch (property) {
      case 'quotes': return this.quote ? 1 : 0;
      case 'brackets': return this.depth;
      case 'indentation': return this.indent;
      case 'line': return this.place;
      case 'word': return this.inWord;
    }
  }
}

/** The property after each step; between words that stand alone a blank is read. */
export function valuesOf(property: Property, inputs: string[]): number[] {
  const reader = new Reader();
  const words = inputs.some((text) => text.length > 1) && !inputs.some((text) => /[ \n]/.test(text));
  return inputs.map((text, step) => {
    if (words && step) reader.read(' ');
    for (const symbol of text) reader.read(symbol);
    return reader.get(property);
  });
}

/** Those that change over the text at all. */
export function propertiesOf(inputs: string[]): Property[] {
  return (Object.keys(PROPERTIES) as Property[]).filter((property) => {
    const values = valuesOf(property, inputs);
    return values.some((value) => value !== values[0]);
  });
}
