"""Where a search with a transducer is: hypotheses, which a step replaces, and plain arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.ctc_checks import Floats
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.decoding.transducer import Transducer


class TransducerHypothesis(NamedTuple):
    """A hypothesis while a search goes on.

    Attributes:
        tokens: what it says.
        frames: where its most probable alignment says each of them.
        peaks: the log-probability of each there.
        log_probability: of all its alignments that the search kept.
        best: of the most probable of them.
        bonus: the scores of its extensions.
        said: `(J,)` what is predicted after it.
        state: `(S,)` of the prediction network.
    """

    tokens: tuple[int, ...]
    frames: tuple[int, ...]
    peaks: tuple[float, ...]
    log_probability: float
    best: float
    bonus: float
    said: Floats
    state: Floats

    @property
    def score(self) -> float:
        """What it is ranked by."""
        return self.log_probability + self.bonus


@dataclass(frozen=True, eq=False)
class TransducerState:
    """Where a search is, in plain arrays; a step makes a new one and leaves this as it was.

    Attributes:
        count: frames seen so far.
        tokens, frames: `(N, U)` int32 of each hypothesis, best first; -1 beyond its end.
        peaks: `(N, U)`, the log-probabilities of the tokens where they are said.
        scores: `(N, 3)` log-probability, that of the best alignment, bonus.
        said, state: `(N, J)` and `(N, S)`, as in `TransducerHypothesis`.
    """

    count: int
    tokens: NDArray[np.int32]
    frames: NDArray[np.int32]
    peaks: NDArray[np.float64]
    scores: NDArray[np.float64]
    said: Floats
    state: Floats


def start_transducer(model: Transducer, count: int = 0) -> TransducerState:
    """Nothing said yet, before the frame of that number."""
    said, state = model.begin()
    return packed(count, [TransducerHypothesis((), (), (), 0.0, 0.0, 0.0, said[0], state[0])])


def packed(count: int, places: Sequence[TransducerHypothesis]) -> TransducerState:
    """Hypotheses as arrays."""
    shape = (len(places), max(len(one.tokens) for one in places))
    tokens, frames = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    peaks = np.zeros(shape)
    for row, one in enumerate(places):
        size = len(one.tokens)
        tokens[row, :size], frames[row, :size], peaks[row, :size] = (
            one.tokens,
            one.frames,
            one.peaks,
        )
    scores = np.array([(one.log_probability, one.best, one.bonus) for one in places])
    return TransducerState(
        count,
        tokens,
        frames,
        peaks,
        scores,
        np.stack([one.said for one in places]),
        np.stack([one.state for one in places]),
    )


def unpacked(state: TransducerState) -> list[TransducerHypothesis]:
    """The inverse of `packed`."""
    places = []
    for row, (total, best, bonus) in enumerate(state.scores.tolist()):
        size = int((state.tokens[row] >= 0).sum())
        tokens, frames, peaks = (
            tuple(one[row, :size].tolist()) for one in (state.tokens, state.frames, state.peaks)
        )
        own = (total, best, bonus, state.said[row], state.state[row])
        places.append(TransducerHypothesis(tokens, frames, peaks, *own))
    return places


def transducer_hypotheses(
    state: TransducerState, n_best: int, scores: PrefixScores | None = None
) -> list[CtcHypothesis]:
    """The best hypotheses, best first; each token has a single frame.

    Args:
        state: where the search is.
        n_best: how many.
        scores: of a search that is over, if it had such: the end of each sentence counts, too.
    """
    places = unpacked(state)
    if scores is not None:
        ends = scores.ends([scores.after(one.tokens) for one in places]).tolist()
        places = [
            one._replace(bonus=one.bonus + end) for one, end in zip(places, ends, strict=True)
        ]
        places.sort(key=lambda one: -one.score)
    return [
        CtcHypothesis(
            tokens=one.tokens,
            log_probability=one.log_probability,
            score=one.score,
            frames=tuple((frame, frame) for frame in one.frames),
            confidences=tuple(min(1.0, math.exp(peak)) for peak in one.peaks),
        )
        for one in places[:n_best]
    ]


def stable_tokens(state: TransducerState) -> int:
    """How many tokens all hypotheses begin with: no later frame can change these."""
    same = (state.tokens == state.tokens[0]).all(0) & (state.tokens[0] >= 0)
    return int(same.cumprod().sum())
