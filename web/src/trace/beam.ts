// A beam search as a tree: time from left to right, each hypothesis a path, the answer on top.
import { atWidth, choice, h, s } from '../shared/dom';
import { fixed, percent, visible } from '../shared/format';
import type { BeamRecord } from '../shared/records';
import { fateOf, pathTo, treeOf, type Tree } from './beam_tree';
import { columnIn } from './rows';
import type { Stage, View } from './stage';
import { heard, named } from './symbols';

const [LETTER, LEAST, GAP, ROW, TOP, LEFT] = [8.1, 44, 34, 38, 30, 62];

/** Null for a trace without a search. */
export function beamView(stage: Stage): View | null {
  const { beam } = stage.trace;
  if (!beam) return null;
  const tree = treeOf(beam);
  const best = pathTo(beam, beam.ranks.indexOf(0));
  let pinned = best[Math.min(stage.now.step, best.length - 1)];
  let all = true;
  let hover: number | null = null;
  const scroller = h('div', { class: 'scroll beam-scroll' });
  const told = h('p', { class: 'saying' });
  const why = h('p', { class: 'quiet' });
  const ended = beam.ranks.filter((rank) => rank >= 0).length;
  let draw = (): void => undefined;
  let nodes: SVGGElement[] = [];
  let edges: SVGPathElement[] = [];
  let place = placesOf(beam, tree, all, false);
  let cursor = s('rect', {});

  function redraw(): void {
    place = placesOf(beam!, tree, all, stage.trace.joined);
    const svg = s('svg', { class: 'beam', width: place.width, height: place.height, role: 'group',
      'aria-label': `A search that keeps ${beam!.width} hypotheses a step. Left and right arrow keys move along a hypothesis, up and down between those of a step.` });
    cursor = s('rect', { class: 'cursor', y: 2, height: place.height - 4, rx: 8 });
    const [lines, marks] = [s('g', {}), s('g', {})];
    svg.append(cursor, lines, marks, s('circle', { class: 'root', cx: LEFT - GAP + 6, cy: TOP + ROW / 2, r: 5 }),
      ...place.x.map((x, step) => s('text', { class: 'step-number', x: x + place.wide[step] / 2, y: 18, 'text-anchor': 'middle' }, step + 1)));
    edges = beam!.tokens.map((_, node) => edgeOf(node));
    nodes = beam!.tokens.map((_, node) => nodeOf(node));
    const shown = (node: number) => all || beam!.fates[node] !== 'pruned';
    // What wins lies on top.
    const order = beam!.tokens.map((_, node) => node).filter(shown).sort((a, b) => weightOf(a) - weightOf(b));
    lines.append(...order.map((node) => edges[node]));
    marks.append(...order.map((node) => nodes[node]));
    const at = scroller.scrollLeft;
    scroller.replaceChildren(svg);
    scroller.scrollLeft = at;
    draw();
  }

  const weightOf = (node: number) => (tree.wins[node] ? 3 : beam!.fates[node] === 'pruned' ? 0 : tree.ranks[node] < Infinity ? 2 : 1);
  const kindOf = (node: number) => ['pruned', 'kept', 'answered', 'wins'][weightOf(node)];
  const middle = (node: number) => TOP + place.lanes[node] * ROW + ROW / 2;

  function edgeOf(node: number): SVGPathElement {
    const parent = beam!.parents[node];
    const [x0, y0] = parent < 0 ? [LEFT - GAP + 12, TOP + ROW / 2] : [place.x[beam!.steps[parent]] + place.wide[beam!.steps[parent]], middle(parent)];
    const [x1, y1] = [place.x[beam!.steps[node]], middle(node)];
    return s('path', { class: `edge ${kindOf(node)}`, d: `M${x0},${y0} C${x0 + GAP / 2},${y0} ${x1 - GAP / 2},${y1} ${x1},${y1}` });
  }

  function nodeOf(node: number): SVGGElement {
    const step = beam!.steps[node];
    const [x, y, wide] = [place.x[step], middle(node), place.wide[step]];
    const rank = beam!.ranks[node];
    return s('g', {
      class: `node ${kindOf(node)}`, role: 'img', tabindex: -1, 'data-node': node,
      'aria-label': `Step ${step + 1}: ${heard(stage.trace, textOf(node))}, ${fixed(beam!.sums[node], 2)}. ${fateOf(beam!, tree, node)}`,
      click: () => choose(node), focus: () => choose(node),
      pointerenter: (event: PointerEvent) => event.pointerType === 'mouse' && look(node), pointerleave: () => look(null),
    },
    // What ended is rounder than what the search went on from.
    s('rect', { x, y: y - 16, width: wide, height: 32, rx: beam!.fates[node] === 'finished' ? 16 : 8 }),
    s('text', { class: 'token', x: x + wide / 2, y: y - 1, 'text-anchor': 'middle' }, place.names[node]),
    s('text', { class: 'sum', x: x + wide / 2, y: y + 12, 'text-anchor': 'middle' }, fixed(beam!.sums[node], 2)),
    rank >= 0 ? s('circle', { class: 'rank', cx: x + wide, cy: y - 12, r: 8 }) : null,
    rank >= 0 ? s('text', { class: 'rank-text', x: x + wide, y: y - 8, 'text-anchor': 'middle' }, rank + 1) : null);
  }

  const textOf = (node: number) => pathTo(beam!, node).map((k) => beam!.tokens[k]).join(stage.trace.joined ? '' : ' ').trim() || beam!.tokens[node];

  function look(node: number | null): void {
    hover = node;
    draw();
  }

  function choose(node: number): void {
    if (pinned === node && hover === null && stage.now.step === Math.min(beam!.steps[node], stage.steps - 1)) return;
    pinned = node;
    hover = null;
    stage.go(beam!.steps[node]);
  }

  draw = () => {
    const node = hover ?? pinned;
    const path = new Set(pathTo(beam, node));
    const step = beam.steps[node];
    cursor.setAttribute('x', String(place.x[step] - 9));
    cursor.setAttribute('width', String(place.wide[step] + 18));
    nodes.forEach((one, k) => {
      one.classList.toggle('on', path.has(k));
      one.classList.toggle('here', k === node);
      one.setAttribute('tabindex', k === pinned ? '0' : '-1');
    });
    edges.forEach((one, k) => one.classList.toggle('on', path.has(k)));
    told.textContent = `${named(stage.trace, textOf(node))}: ${fixed(beam.sums[node], 2)}, ${percent(Math.exp(beam.sums[node]))}% likely; ${named(stage.trace, beam.tokens[node].trim() || beam.tokens[node])} alone ${percent(Math.exp(beam.log_p[node]))}%.`;
    why.textContent = fateOf(beam, tree, node);
    if (hover === null) scroller.scrollLeft = columnIn(scroller, scroller.scrollLeft, place.x[step] + place.wide[step] / 2);
  };

  /** The node that an arrow key leads to. */
  function beside(key: string): number | undefined {
    if (key === 'ArrowLeft') return beam!.parents[pinned] < 0 ? undefined : beam!.parents[pinned];
    if (key === 'ArrowRight') return tree.children[pinned].find((k) => all || beam!.fates[k] !== 'pruned');
    if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined;
    const column = beam!.tokens.map((_, k) => k).filter((k) => beam!.steps[k] === beam!.steps[pinned] && (all || beam!.fates[k] !== 'pruned'))
      .sort((a, b) => place.lanes[a] - place.lanes[b]);
    return column[column.indexOf(pinned) + (key === 'ArrowUp' ? -1 : 1)];
  }

  scroller.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !event.key.startsWith('Arrow')) return;
    event.preventDefault();
    event.stopPropagation();
    const to = beside(event.key);
    if (to !== undefined) nodes[to].focus();
  });

  atWidth(scroller, () => draw());
  return {
    element: h('section', { class: 'task' }, h('h3', {}, 'How it searched'),
      h('p', { class: 'quiet' }, `At each step the search goes on from ${beam.width} hypotheses at most. Below each token stands the log-probability of all up to there, in nats. The answer is bold and on top; ${ended > 1 ? `the ${ended} that were answered have their place in a ring` : 'its end has a ring'}.`),
      h('div', { class: 'controls' }, choice('What is drawn', [{ value: 'all', text: 'with what was given up' }, { value: 'kept', text: 'without' }], 'all', (value) => {
        all = value === 'all';
        if (!all && beam.fates[pinned] === 'pruned') pinned = beam.parents[pinned] < 0 ? best[0] : beam.parents[pinned];
        redraw();
      })),
      scroller, told, why),
    redraw,
    update() {
      // Moved elsewhere: along the hypothesis that was looked at, else along the answer.
      const { step } = stage.now;
      if (Math.min(beam.steps[pinned], stage.steps - 1) !== step) pinned = along(beam, tree, pinned, step) ?? best[step];
      draw();
    },
  };
}

/** The node of a step on the way to a node, or on its best continuation. */
function along(beam: BeamRecord, tree: Tree, node: number, step: number): number | undefined {
  const path = pathTo(beam, node);
  if (step < path.length) return path[step];
  for (let last = node; tree.children[last].length;) {
    last = tree.children[last][0];
    if (beam.steps[last] === step) return last;
  }
  return undefined;
}

/** Where columns and rows are; without what was given up it takes fewer rows. */
function placesOf(beam: BeamRecord, tree: Tree, all: boolean, joined: boolean) {
  const shown = beam.tokens.map((_, node) => node).filter((node) => all || beam.fates[node] !== 'pruned');
  const names = beam.tokens.map((token) => visible(joined ? token.trim() || token : token));
  const wide = new Array<number>(tree.columns).fill(LEAST);
  shown.forEach((node) => (wide[beam.steps[node]] = Math.max(wide[beam.steps[node]], LETTER * names[node].length + 14)));
  const x: number[] = [];
  wide.forEach((_, step) => x.push(step ? x[step - 1] + wide[step - 1] + GAP : LEFT));
  const rows = Math.max(...shown.map((node) => tree.lanes[node])) + 1;
  return { x, wide, names, lanes: tree.lanes, width: x.at(-1)! + wide.at(-1)! + 22, height: TOP + rows * ROW + 8 };
}
