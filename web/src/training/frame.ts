// The charts of a training one below the other, with one cursor through all: point, drag to look closer, or use keys.
import { atWidth, h } from '../shared/dom';
import { colourOf, type Board, type View } from './board';
import { lastIndex } from './curve';
import { numbered } from './findings';
import { drawHeld } from './held_chart';
import { across, drawLosses, marginOf } from './loss_chart';
import { drawStrips } from './strips';
import { place, size } from './words';

/** A drag of fewer pixels than this is a click. */
const CLICK = 6;

export function frameView(board: Board): View {
  const charts = h('div', {});
  const mark = h('div', { class: 'time-mark', hidden: true });
  const brush = h('div', { class: 'brush', hidden: true });
  const tip = h('div', { class: 'tip runs-tip', hidden: true });
  const spoken = h('p', { class: 'unseen', role: 'status' });
  const frame = h('div', {
    class: 'runs-frame', tabindex: 0, role: 'group',
    'aria-label': 'Curves of the training. Arrow keys move the cursor, plus and minus look closer and less closely, Escape shows all.',
  }, charts, mark, brush, tip);
  const whole = h('button', { type: 'button', class: 'words', hidden: true, click: () => board.zoom(null) }, 'Show all');
  let width = 0;
  let from: number | null = null;

  const scale = () => across(board, width, marginOf(board, width));
  const valueAt = (pixel: number) => {
    const [low, high] = board.range;
    return Math.max(low, Math.min(high, scale().invert(pixel)));
  };
  const pixelOf = (event: PointerEvent) => event.clientX - frame.getBoundingClientRect().left;

  frame.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !width) return;
    from = pixelOf(event);
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener('pointermove', (event) => {
    if (!width) return;
    const to = pixelOf(event);
    board.point(valueAt(to));
    if (from === null) return;
    brush.hidden = Math.abs(to - from) < CLICK;
    brush.style.left = `${Math.min(from, to)}px`;
    brush.style.width = `${Math.abs(to - from)}px`;
  });
  frame.addEventListener('pointerup', (event) => {
    const to = pixelOf(event);
    if (from !== null && Math.abs(to - from) >= CLICK) {
      const ends = [valueAt(from), valueAt(to)].sort((a, b) => a - b);
      board.zoom([ends[0], ends[1]]);
    }
    letGo();
  });
  frame.addEventListener('pointercancel', letGo);
  frame.addEventListener('pointerleave', () => from === null && board.point(null));
  frame.addEventListener('dblclick', () => board.zoom(null));
  frame.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!byKey(board, event.key, event.shiftKey ? 10 : 1)) return;
    event.preventDefault();
    spoken.textContent = inWords(board);
  });

  function letGo(): void {
    from = null;
    brush.hidden = true;
  }

  function draw(): void {
    whole.hidden = board.window === null;
    if (!width) return;
    const apart = board.scored && !board.together;
    charts.replaceChildren(drawLosses(board, width, numbered(board)), ...(apart ? [drawHeld(board, width)] : []), ...drawStrips(board, width));
  }

  atWidth(frame, (now) => {
    width = now;
    draw();
    update();
  });

  function update(): void {
    const { cursor } = board;
    const seen = cursor !== null && width > 0 && cursor >= board.range[0] && cursor <= board.range[1];
    mark.hidden = tip.hidden = !seen;
    if (!seen) return;
    const left = scale()(cursor);
    mark.style.left = `${left}px`;
    tip.replaceChildren(...rowsOf(board));
    tip.style.left = left > width / 2 ? '' : `${left + 14}px`;
    tip.style.right = left > width / 2 ? `${width - left + 14}px` : '';
  }

  return { element: h('div', {}, frame, h('p', { class: 'runs-hint quiet' }, 'Drag across to look closer. ', whole), spoken), redraw: draw, update, reveal: () => frame.scrollIntoView({ block: 'nearest' }) };
}

/** Whether the key means something here. */
function byKey(board: Board, key: string, by: number): boolean {
  const [low, high] = board.range;
  const first = board.shown[0];
  if (!first?.at.length) return false;
  const now = board.cursor ?? low;
  const half = (high - low) / 2;
  const moves: Record<string, () => void> = {
    ArrowLeft: () => step(-by),
    ArrowRight: () => step(by),
    Home: () => board.point(low),
    End: () => board.point(high),
    Escape: () => board.zoom(null),
    '+': () => board.zoom([now - half / 2, now + half / 2]),
    '-': () => board.zoom([now - half * 2, now + half * 2]),
  };
  function step(count: number): void {
    const at = board.pointOf(first) ?? 0;
    const to = first.at[Math.max(0, Math.min(first.at.length - 1, board.cursor === null ? at : at + count))];
    board.point(Math.max(low, Math.min(high, to)));
  }
  moves[key]?.();
  return key in moves;
}

/** The numbers under the cursor, run by run. */
function rowsOf(board: Board): HTMLElement[] {
  const row = (name: string, value: string) => h('span', {}, `${name} `, h('i', {}, value));
  return board.shown.flatMap((run) => {
    const k = board.pointOf(run);
    if (k === null) return [];
    const { record } = run;
    const held = lastIndex(run.scored, (at) => at <= run.at[k]);
    const clipped = record.clipped[k];
    const head = h('b', { class: colourOf(run) },
      `${board.several ? `${record.name}: ` : ''}step ${record.steps[k].toLocaleString('en-GB')}${record.seconds[k] === null || board.over === 'steps' ? '' : `, ${place(board.over, run.at[k])}`}`);
    const loss = row('loss', size(record.loss[k], 4));
    const scored = held >= 0 ? row(`held out (step ${record.validation[held].step.toLocaleString('en-GB')})`, size(record.validation[held].score, 4)) : null;
    if (board.several) return [head, loss, ...(scored ? [scored] : [])];
    return [head, loss, row('smoothed', size(run.smooth[k], 4)), ...(scored ? [scored] : []),
      ...(record.rate[k] === null ? [] : [row('learning rate', size(record.rate[k]))]),
      ...(record.norm[k] === null ? [] : [row('norm of the gradient', `${size(record.norm[k])}${clipped ? ', clipped' : ''}`)])];
  });
}

function inWords(board: Board): string {
  return rowsOf(board).map((row) => row.textContent).join(', ');
}
