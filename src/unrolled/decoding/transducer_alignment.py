"""Forced alignment: on which frames a transducer says a given sequence of symbols."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unrolled.decoding.ctc_checks import BLANK, Floats, Ints, check_tokens
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.transducer import Transducer
from unrolled.errors import ConfigError


def align_transducer(
    model: Transducer, frames: Floats, tokens: Sequence[int] | Ints
) -> CtcHypothesis:
    """The most probable alignment of given symbols with what was heard (Viterbi).

        best(t, u) = log p(blank | t, u) + max over k <= u of
                     best(t - 1, k) + sum over i = k .. u - 1 of log p(y_i | t, i)

    Args:
        model: the prediction network and the joiner.
        frames: what was heard, `(T, J)`.
        tokens: the symbols, 1 to V; a frame may say any number of them.

    Returns:
        A hypothesis with these tokens, of a single frame each; `log_probability` and `score` are
        those of the alignment.

    Raises:
        ConfigError: no frame, or tokens that the model does not have.
        DTypeError: tokens that are no whole numbers.

    Sources: Graves 2012, arXiv 1211.3711; Viterbi 1967.
    """
    if not len(frames):
        raise ConfigError("frames: got none, expected one at least")
    said, state = model.begin()
    own = check_tokens(tokens, model.join(frames[0], said).shape[1], 0)
    predicted = [said]
    for token in own:
        said, state = model.say(np.array([token]), state)
        predicted.append(said)
    after, places = np.concatenate(predicted), np.arange(len(own) + 1)
    best = np.where(places == 0, 0.0, -math.inf)
    entered = np.empty((len(frames), len(places)), np.int64)
    spoken = np.empty((len(frames), len(own)))
    for at, frame in enumerate(frames):
        scores = model.join(frame, after).astype(np.float64)
        spoken[at] = scores[places[:-1], own]
        # All ways into a frame at once: what is said on it from k to u is a difference of two sums.
        sums = np.concatenate([[0.0], spoken[at].cumsum()])
        ways = best - sums
        most = np.maximum.accumulate(ways)
        entered[at] = np.maximum.accumulate(np.where(ways == most, places, 0))
        best = most + sums + scores[:, BLANK]
    on, place = np.empty(len(own), np.int64), len(own)
    for at in reversed(range(len(frames))):
        begin = entered[at, place]
        on[begin:place], place = at, begin
    total = float(best[-1])
    return CtcHypothesis(
        tokens=tuple(own.tolist()),
        log_probability=total,
        score=total,
        frames=tuple((frame, frame) for frame in on.tolist()),
        confidences=tuple(np.exp(spoken[on, places[:-1]]).clip(max=1.0).tolist()),
    )
