"""A frame of a search with a transducer: greedy, or with a beam."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unrolled.decoding.ctc_checks import BLANK, Floats
from unrolled.decoding.transducer import Transducer, TransducerOptions
from unrolled.decoding.transducer_state import TransducerHypothesis


def greedy_frame(
    model: Transducer,
    frame: Floats,
    place: TransducerHypothesis,
    at: int,
    options: TransducerOptions,
) -> tuple[TransducerHypothesis, float]:
    """The best symbol as long as it is better than the blank, up to the limit; then the blank.

    Args:
        model: what predicts and joins.
        frame: `(J,)`, what was heard on it.
        place: before it.
        at: its number.
        options: the limit.

    Returns:
        The hypothesis after it, and the log-probability that nothing was said on it.

    Source: Graves 2012, arXiv 1211.3711 (with one hypothesis), in the usual form of one frame
    after the other.
    """
    first = math.nan
    for turn in range(options.most_symbols + 1):
        scores = model.join(frame, place.said[None])[0]
        first = float(scores[BLANK]) if turn == 0 else first
        token = int(scores.argmax()) if turn < options.most_symbols else BLANK
        place = _with(place, token, float(scores[token]), at)
        if token == BLANK:
            break
        said, state = model.say(np.array([token]), place.state[None])
        place = place._replace(said=said[0], state=state[0])
    return place, first


def beam_frame(
    model: Transducer,
    frame: Floats,
    places: Sequence[TransducerHypothesis],
    at: int,
    options: TransducerOptions,
) -> tuple[list[TransducerHypothesis], float]:
    """The likeliest hypotheses after one more frame.

    On a frame every hypothesis says none, one or more symbols, then the blank. In each turn all
    that are still on the frame are joined with it at once; of their extensions the `beam` best say
    one symbol more, unless `beam` hypotheses have already left the frame that they can't get past.
    What says the same has one place: its alignments are added up, the best of them kept.

    Args, returns: as `greedy_frame`, of up to `beam` hypotheses, best first; the log-probability is
    that of the best.

    Sources: Graves 2012, arXiv 1211.3711, section 3; by frames, and with a limit of the symbols on
    each, Kim et al. 2020, arXiv 2010.14606 (adaptive expansion search); with one place for equal
    texts Saon et al. 2020, Alignment-Length Synchronous Decoding for RNN Transducer.
    """
    beam, extra = options.beam, options.scores
    left: dict[tuple[int, ...], TransducerHypothesis] = {}
    here, first = list(places), math.nan
    for turn in range(options.most_symbols + 1):
        scores = model.join(frame, np.stack([one.said for one in here])).astype(np.float64)
        first = float(scores[0, BLANK]) if turn == 0 else first
        for one, blank in zip(here, scores[:, BLANK].tolist(), strict=True):
            after = _with(one, BLANK, blank, at)
            same = left.get(one.tokens)
            left[one.tokens] = after if same is None else _together(same, after)
        if turn == options.most_symbols:
            break
        bonus = np.zeros_like(scores)
        if extra is not None:
            bonus += extra.rows([extra.after(one.tokens) for one in here])
        totals = np.array([one.score for one in here])[:, None] + scores + bonus
        totals[:, BLANK] = -math.inf
        least = -math.inf
        if len(left) >= beam:
            least = sorted(one.score for one in left.values())[-beam]
        chosen = np.argsort(-totals, axis=None, kind="stable")[:beam]
        chosen = chosen[totals.ravel()[chosen] > least]
        if not len(chosen):
            break
        rows, tokens = np.unravel_index(chosen, totals.shape)
        said, state = model.say(tokens, np.stack([here[row].state for row in rows]))
        here = [
            _with(here[row], token, float(scores[row, token]), at)._replace(
                bonus=here[row].bonus + float(bonus[row, token]), said=said[new], state=state[new]
            )
            for new, (row, token) in enumerate(zip(rows.tolist(), tokens.tolist(), strict=True))
        ]
    # Of equal scores what was there first, so that the order is always the same.
    return sorted(left.values(), key=lambda one: -one.score)[:beam], first


def _with(place: TransducerHypothesis, token: int, value: float, at: int) -> TransducerHypothesis:
    """The hypothesis after a token, or the blank, of that log-probability."""
    place = place._replace(log_probability=place.log_probability + value, best=place.best + value)
    if token == BLANK:
        return place
    return place._replace(
        tokens=(*place.tokens, token), frames=(*place.frames, at), peaks=(*place.peaks, value)
    )


def _together(one: TransducerHypothesis, other: TransducerHypothesis) -> TransducerHypothesis:
    """Of the same tokens: both sums of alignments, the better one's frames."""
    better, worse = (one, other) if one.best >= other.best else (other, one)
    total = float(np.logaddexp(better.log_probability, worse.log_probability))
    return better._replace(log_probability=total)
