// A translation has two sequences: what was read, and what was answered. The cursor is in one of them; in the other it
// follows where the links lead.
import type { Stage } from './stage';

export class Pair {
  /** The sequence that has the cursor. */
  leads: Stage;

  constructor(readonly source: Stage, readonly target: Stage) {
    this.leads = target;
    source.pair = target.pair = this;
    this.follow(target);
  }

  /** The cursor moved in one sequence. */
  follow(stage: Stage): void {
    this.leads = stage;
    const other = stage === this.target ? this.source : this.target;
    const { length, most } = strongest(this.lit);
    if (length) other.now.step = most;
  }

  /** How strongly each step of the other sequence is linked to the one under the cursor; none without attention. */
  get lit(): number[] {
    const { links } = this.target.trace;
    if (!links) return [];
    const { step } = this.leads.now;
    return this.leads === this.target ? [...links.weights[step]] : links.weights.map((row) => row[step]);
  }

  /** The cursor goes to the other row, to the step that it had followed to. */
  take(stage: Stage): void {
    if (this.leads !== stage) stage.go(stage.now.step);
  }
}

function strongest(values: number[]): { length: number; most: number } {
  return { length: values.length, most: values.indexOf(Math.max(...values)) };
}

/** Attributes of an element in which ↑ and ↓ take the cursor to the row above and below. */
export function turning(stage: Stage): Record<string, string | number | ((event: KeyboardEvent) => void)> {
  const { pair } = stage;
  if (!pair) return {};
  return {
    tabindex: 0, role: 'group', 'aria-label': 'Left and right arrow keys move from token to token, up and down to the other row.',
    keydown: (event: KeyboardEvent) => {
      const to = { ArrowUp: pair.source, ArrowDown: pair.target }[event.key];
      if (!to || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      pair.take(to);
    },
  };
}
