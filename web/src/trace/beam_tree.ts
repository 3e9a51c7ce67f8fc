// A beam search as lanes: the best hypothesis keeps the first one from its first token to its last, and every other one
// leaves the hypothesis that it shares its beginning with for a lane below.
import type { BeamRecord } from '../shared/records';

export interface Tree {
  /** The nodes that follow each one, the best first; those that begin follow nothing. */
  children: number[][];
  first: number[];
  /** The row of each node. */
  lanes: number[];
  rows: number;
  columns: number;
  /** Whether each node is part of the answer. */
  wins: boolean[];
  /** The best place that a hypothesis through each node reached; Infinity where none was answered. */
  ranks: number[];
}

export function treeOf(beam: BeamRecord): Tree {
  const { tokens, parents, ranks: own, sums, steps } = beam;
  const children: number[][] = tokens.map(() => []);
  const first: number[] = [];
  const ranks = own.map((rank) => (rank < 0 ? Infinity : rank));
  const reach = [...steps];
  // Parents stand before their children.
  for (let node = tokens.length - 1; node >= 0; node -= 1) {
    const parent = parents[node];
    (parent < 0 ? first : children[parent]).push(node);
    if (parent < 0) continue;
    ranks[parent] = Math.min(ranks[parent], ranks[node]);
    reach[parent] = Math.max(reach[parent], reach[node]);
  }
  const better = (a: number, b: number) => (ranks[a] === ranks[b] ? reach[b] - reach[a] || sums[b] - sums[a] : ranks[a] - ranks[b]);
  [first, ...children].forEach((nodes) => nodes.sort(better));
  const lanes = inLanes(beam, first, children, better);
  return { children, first, lanes, rows: Math.max(...lanes) + 1, columns: Math.max(...steps) + 1, wins: ranks.map((rank) => rank === 0), ranks };
}

/** Each chain of best continuations in the first free row below the one that it leaves. */
function inLanes({ steps, parents, fates }: BeamRecord, first: number[], children: number[][], better: (a: number, b: number) => number): number[] {
  // What was given up at once takes the rows that are left.
  const alone = (node: number) => (fates[node] === 'pruned' ? 1 : 0);
  const begins = [...first, ...children.flatMap((nodes) => nodes.slice(1))].sort((a, b) => alone(a) - alone(b) || better(a, b));
  const taken: Set<number>[] = [];
  const lanes = new Array<number>(steps.length);
  for (const begin of begins) {
    const chain = [begin];
    while (children[chain.at(-1)!].length) chain.push(children[chain.at(-1)!][0]);
    const columns = chain.map((node) => steps[node]);
    let lane = parents[begin] < 0 ? 0 : lanes[parents[begin]] + 1;
    while (columns.some((column) => taken[lane]?.has(column))) lane += 1;
    taken[lane] = new Set([...(taken[lane] ?? []), ...columns]);
    chain.forEach((node) => (lanes[node] = lane));
  }
  return lanes;
}

/** The nodes from the first token to this one. */
export function pathTo({ parents }: BeamRecord, node: number): number[] {
  const path = [node];
  while (parents[path[0]] >= 0) path.unshift(parents[path[0]]);
  return path;
}

/** What became of the hypothesis that ends at a node, and why. */
export function fateOf(beam: BeamRecord, tree: Tree, node: number): string {
  const { fates, ranks, scores, steps, sums, width } = beam;
  const answer = scores[ranks.indexOf(0)]!;
  const number = (value: number) => value.toFixed(2).replace('-', '−');
  if (fates[node] === 'finished' || ranks[node] >= 0) {
    const score = scores[node] === null ? '' : ` with the score ${number(scores[node]!)}`;
    if (ranks[node] === 0) return `The answer: it ended${score}, the best of all.`;
    const place = ranks[node] > 0 ? `is number ${ranks[node] + 1}` : 'is not among the answers';
    return `It ended${score} and ${place}: the answer has ${number(answer)}.`;
  }
  if (fates[node] === 'pruned') {
    const kept = sums.filter((_, k) => steps[k] === steps[node] && fates[k] === 'kept');
    const least = Math.min(...kept);
    const full = kept.length >= width && sums[node] <= least;
    return full ? `Given up at step ${steps[node] + 1}: the last of the ${width} that were kept has ${number(least)}.`
      : `Given up at step ${steps[node] + 1}: others were kept.`;
  }
  if (tree.wins[node]) return 'The answer begins so.';
  if (tree.ranks[node] < Infinity) return `Number ${tree.ranks[node] + 1} of what was found begins so.`;
  const last = Math.max(...steps);
  if (steps[node] === last) return 'The search ended before it did: enough others had ended with a better score.';
  return 'It was kept, and given up later: none of what follows it was good enough.';
}
