// Two rows of tokens, one above the other, each as wide as its words.

const LETTER = 8.5;
/** Pixels between two tokens. */
export const BETWEEN = 26;
export const widthOf = (text: string) => LETTER * Math.max(1, text.length);

export interface Row {
  centres: number[];
  width: number;
}

/** Where the tokens stand; `widths` at least so wide. */
export function rowOf(texts: string[], least = 0): Row {
  let at = BETWEEN / 2;
  const centres = texts.map((text) => {
    const own = Math.max(least, widthOf(text));
    at += own + BETWEEN;
    return at - BETWEEN - own / 2;
  });
  return { centres, width: at - BETWEEN / 2 };
}

/** The middles of both when the shorter row stands in the middle of the longer one, and how wide they are together. */
export function rowPlaces(above: Row, below: Row): [number[], number[], number] {
  const wide = Math.max(above.width, below.width);
  const moved = ({ centres, width }: Row) => centres.map((centre) => centre + (wide - width) / 2);
  return [moved(above), moved(below), wide];
}

/** How far a box scrolls, now at `at`, so that the place `x` inside it is in sight. */
export function columnIn(box: HTMLElement, at: number, x: number): number {
  // Before it is laid out nothing is out of sight.
  if (!box.clientWidth) return at;
  const margin = Math.min(80, box.clientWidth / 4);
  if (x < at + margin) return x - margin;
  return x > at + box.clientWidth - margin ? x - box.clientWidth + margin : at;
}
