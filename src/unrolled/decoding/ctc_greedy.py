"""The best path of a CTC model: the best symbol of each frame, then repeats and blanks dropped.

Source: Graves et al. 2006, section 3.2 (best path decoding).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.ctc_checks import BLANK, Floats
from unrolled.decoding.ctc_hypothesis import CtcHypothesis

SYMBOL = np.dtype([("token", "i4"), ("first", "i4"), ("last", "i4"), ("peak", "f4")])


@dataclass(frozen=True, eq=False)
class PathState:
    """Where a best path is, in plain arrays; a step makes a new one and leaves this as it was.

    Attributes:
        frames: frames seen so far.
        symbols: `(U,)` of each symbol the token, its first and last frame, and the largest
            log-probability on these.
        log_probability: of the path.
        inside: whether the last frame has the last symbol, so that the same once more goes on with
            it.
    """

    frames: int
    symbols: NDArray[Any]
    log_probability: float = 0.0
    inside: bool = False


def start_path(frames: int = 0) -> PathState:
    """No symbol, before the frame of that number."""
    return PathState(frames, np.empty(0, SYMBOL))


def advance_path(state: PathState, log_probs: Floats) -> PathState:
    """The path after more frames, `(T, 1 + V)`; of equal symbols the lower is the best."""
    if not len(log_probs):
        return state
    best = log_probs.argmax(axis=1)
    values = np.take_along_axis(log_probs, best[:, None], axis=1)[:, 0]
    frames = np.arange(state.frames, state.frames + len(best))
    before = np.concatenate([[state.symbols["token"][-1] if state.inside else BLANK], best[:-1]])
    begins = (best != BLANK) & (best != before)
    # Which symbol of those that begin here each frame belongs to; -1: to the one before them.
    number = np.cumsum(begins) - 1
    spoken = best != BLANK
    made = np.zeros(int(begins.sum()), SYMBOL)
    made["token"] = best[begins]
    made["first"] = made["last"] = frames[begins]
    made["peak"] = values[begins]
    symbols = np.concatenate([state.symbols, made])
    place = number[spoken] + len(state.symbols)
    np.maximum.at(symbols["last"], place, frames[spoken])
    np.maximum.at(symbols["peak"], place, values[spoken])
    # One after the other, so that the sum is the same however the frames are cut.
    sums = np.add.accumulate(np.concatenate([[state.log_probability], values.astype(np.float64)]))
    return PathState(int(frames[-1]) + 1, symbols, float(sums[-1]), bool(spoken[-1]))


def path_hypothesis(state: PathState) -> CtcHypothesis:
    """The path as a hypothesis."""
    symbols = state.symbols
    return CtcHypothesis(
        tokens=tuple(symbols["token"].tolist()),
        log_probability=state.log_probability,
        score=state.log_probability,
        frames=tuple(zip(symbols["first"].tolist(), symbols["last"].tolist(), strict=True)),
        confidences=tuple(min(1.0, math.exp(peak)) for peak in symbols["peak"].tolist()),
    )
