"""Forced alignment: on which frames of a CTC model's output a given sequence of symbols is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.ctc_frames import frames_needed
from unrolled.decoding.ctc_checks import BLANK, Floats, Ints, check_log_probs, check_tokens
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.errors import ConfigError, ShapeError


def align_ctc(
    log_probs: Any, tokens: Sequence[Sequence[int]], lengths: Any = None
) -> list[CtcHypothesis]:
    """The most probable alignment of given symbols with each row (Viterbi).

        argmax over the alignments a that stand for l of   sum over t of log y_t[a_t]

    Args:
        log_probs: `(T, B, 1 + V)`, as for `search_ctc`.
        tokens: of each row its symbols, 1 to V.
        lengths: `(B,)` frames of each row; None: all T.

    Returns:
        For each row a hypothesis with these tokens; `log_probability` and `score` are those of the
        alignment. Of equal alignments it is the one that comes the first to its end.

    Raises:
        ConfigError: a row whose symbols need more frames than it has, or to which the model gives
            no probability; and as `search_ctc`.
        ShapeError, DTypeError: arrays that do not fit.

    Sources: Graves et al. 2006 (CTC); Viterbi 1967.
    """
    values, counts = check_log_probs(log_probs, lengths)
    rows = values.shape[1]
    if len(tokens) != rows:
        raise ShapeError(f"tokens: got {len(tokens)} sequences, expected B = {rows}")
    said = [check_tokens(one, values.shape[2], row) for row, one in enumerate(tokens)]
    for row, one in enumerate(said):
        needed = frames_needed(one.tolist())
        if needed > counts[row]:
            raise ConfigError(
                f"tokens: row {row} has {len(one)} symbols that need {needed} frames, and"
                f" {counts[row]} frames: leave it out, or subsample less"
            )
    best, steps = _best_paths(values, said, counts)
    for row in range(rows):
        if best[row] == -math.inf:
            raise ConfigError(
                f"tokens: row {row} has a symbol to which the model gives no probability on any"
                " frame where it could be"
            )
    return [
        _hypothesis(one, values[: counts[row], row], steps[: counts[row], row], float(best[row]))
        for row, one in enumerate(said)
    ]


def _best_paths(
    values: Floats, tokens: list[Ints], lengths: Ints
) -> tuple[NDArray[np.float64], Ints]:
    """The log-probability of each row's best alignment, `(B,)`, and its place at each frame,
    `(T, B)`: `2 i + 1` on symbol `i`, even on the blank before it."""
    rows = np.arange(len(tokens))
    ends = np.array([2 * len(one) for one in tokens])
    width = int(ends.max(initial=0)) + 1
    labels = np.full((len(tokens), width), BLANK)
    for row, one in enumerate(tokens):
        labels[row, 1 : 2 * len(one) : 2] = one
    skips = np.zeros_like(labels, dtype=np.bool_)
    skips[:, 1:2] = True  # from before the first frame
    skips[:, 2:] = (labels[:, 2:] != BLANK) & (labels[:, 2:] != labels[:, :-2])

    # One place further back than the first stand two that can't be.
    scores = np.full((len(tokens), width + 2), -math.inf)
    scores[:, 1] = 0.0  # before the first frame; from there to places 0 and 1
    came = np.zeros((len(values), len(tokens), width), np.int8)
    for time, frame in enumerate(values):
        emitted = frame[rows[:, None], labels]
        ways = np.stack(
            [scores[:, 2:], scores[:, 1:-1], np.where(skips, scores[:, :-2], -math.inf)]
        )
        came[time] = ways.argmax(axis=0)
        going = (time < lengths)[:, None]
        scores[:, 2:] = np.where(going, ways.max(axis=0) + emitted, scores[:, 2:])
        scores[:, 1] = -math.inf

    last = scores[:, 2:]
    in_symbol = np.where(ends > 0, last[rows, np.maximum(ends - 1, 0)], -math.inf)
    in_blank = np.where(lengths > 0, last[rows, ends], 0.0)
    place = np.where(in_symbol > in_blank, ends - 1, ends)
    steps = np.zeros((len(values), len(tokens)), np.int64)
    for time in reversed(range(len(values))):
        inside = time < lengths
        steps[time] = place
        place = np.where(inside, place - came[time, rows, place], place)
    return np.maximum(in_symbol, in_blank), steps


def _hypothesis(tokens: Ints, values: Floats, steps: Ints, best: float) -> CtcHypothesis:
    frames, peaks = [], []
    for number, token in enumerate(tokens.tolist()):
        (where,) = (steps == 2 * number + 1).nonzero()
        frames.append((int(where[0]), int(where[-1])))
        peaks.append(min(1.0, math.exp(values[where, token].max())))
    return CtcHypothesis(tuple(tokens.tolist()), best, best, tuple(frames), tuple(peaks))
