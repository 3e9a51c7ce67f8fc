// The sound of a trace: it plays, and the cursor of all views goes with it.
import { choice, h } from '../shared/dom';
import { fixed } from '../shared/format';
import type { Stage } from './stage';

const SPEEDS = [{ value: '1', text: '1×' }, { value: '0.5', text: '½×' }, { value: '0.25', text: '¼×' }];

export interface Player {
  element: HTMLElement;
  /** The cursor was moved, by the sound itself or by hand. */
  update(): void;
  /** Seconds that the sound is at; null while it stands still. */
  at(): number | null;
}

/** The step that is heard at a time, of steps that are `seconds` long. */
export function stepAt(time: number, seconds: number, steps: number): number {
  // A time is kept as a whole number of microseconds: the begin of a step can lie a little before it.
  return Math.max(0, Math.min(steps - 1, Math.floor(time / seconds + 1e-3)));
}

/** Null for a trace without a sound; `moved` is called for every picture while it plays. */
export function player(stage: Stage, seconds: number, moved: () => void): Player | null {
  const { sound } = stage.trace;
  if (!sound) return null;
  const audio = h('audio', { src: `data:audio/wav;base64,${sound.wav}`, preload: 'auto' });
  const button = h('button', { class: 'wide play', type: 'button', click: () => turn() });
  const clock = h('span', { class: 'clock quiet' });
  const speeds = choice('Speed', SPEEDS, '1', (value) => (audio.playbackRate = Number(value)));
  const here = () => stepAt(audio.currentTime, seconds, stage.steps);
  let untouched = stage.now.step;
  let running = 0;

  function turn(): void {
    if (!audio.paused) return audio.pause();
    // From the beginning, where it had come to the end, or where nobody has moved the cursor yet.
    if (stage.now.step === stage.steps - 1 || stage.now.step === untouched) stage.go(0);
    untouched = -1;
    audio.play().catch(failed);
  }

  function follow(): void {
    cancelAnimationFrame(running);
    if (!audio.isConnected) return audio.pause();
    if (here() !== stage.now.step) stage.go(here());
    moved();
    told();
    if (!audio.paused) running = requestAnimationFrame(follow);
  }

  function told(): void {
    button.textContent = audio.paused ? '▶ Play' : '❚❚ Pause';
    const end = Number.isFinite(audio.duration) ? audio.duration : stage.steps * seconds;
    clock.textContent = `${fixed(audio.paused ? stage.now.step * seconds : audio.currentTime, 2)} of ${fixed(end, 2)} s`;
  }

  function changed(): void {
    stage.playing = !audio.paused;
    if (stage.playing) follow();
    else stage.update();
  }

  function failed(): void {
    button.disabled = true;
    clock.textContent = 'This browser does not play the sound here.';
  }

  audio.addEventListener('play', changed);
  audio.addEventListener('pause', changed);
  audio.addEventListener('error', failed);
  audio.addEventListener('loadedmetadata', told);
  stage.turn = turn;
  told();
  return {
    element: h('div', { class: 'controls player' }, button, speeds, clock, audio),
    update() {
      // Who moves the cursor moves the sound; where the sound moved it they agree.
      if (here() !== stage.now.step) audio.currentTime = stage.now.step * seconds;
      if (!button.disabled) told();
    },
    at: () => (audio.paused ? null : audio.currentTime),
  };
}
