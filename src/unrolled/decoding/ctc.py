"""Searches in the output of a CTC model: the best path, and prefix beam search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unrolled.decoding.ctc_checks import check_count, check_log_probs
from unrolled.decoding.ctc_greedy import advance_path, path_hypothesis, start_path
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.ctc_options import CtcOptions
from unrolled.decoding.ctc_prefix import advance_prefixes
from unrolled.decoding.ctc_state import prefix_hypotheses, start_prefixes
from unrolled.decoding.prefix_scores import Place, PrefixScores


def search_ctc(
    log_probs: Any,
    lengths: Any = None,
    *,
    beam: int = 16,
    n_best: int = 1,
    most_symbols: int | None = None,
    threshold: float | None = None,
    extension_scores: Sequence[float] | None = None,
    scores: PrefixScores | None = None,
) -> list[list[CtcHypothesis]]:
    """The likeliest sequences of symbols for each row, as far as a beam finds them.

        p(l | x) = sum of the products of y_t[a_t] over all alignments a that stand for l

    An alignment has a symbol or the blank at each frame; it stands for what is left when repeats
    are merged, then blanks dropped. With a beam that holds every prefix the sums are exact. What
    comes out for a row depends on no other.

    Args:
        log_probs: `(T, B, 1 + V)` float32, `log_softmax` of the logits, the blank first; a tensor
            or a numpy array. What stands beyond a row's length counts for nothing.
        lengths: `(B,)` frames of each row, 0 to T; None: all of them.
        beam: prefixes that go on from frame to frame. 1 is the best path, the best symbol of each
            frame: quicker, and the alignment rather than the sequence that is the likeliest.
        n_best: how many hypotheses to give, up to `beam`.
        most_symbols, threshold, extension_scores, scores: as in `CtcOptions`; left out, the search
            is over all symbols, by what was heard alone.

    Returns:
        For each row up to `n_best` hypotheses, best first, no two with the same tokens; one at
        least, which may be empty.

    Raises:
        ConfigError: NaN, a number above 0, a frame on which nothing is possible, by row and frame;
            an option that can't work.
        ShapeError, DTypeError: arrays that do not fit.

    Sources: Graves et al. 2006, "Connectionist temporal classification"; Hannun et al. 2014, arXiv
    1408.2873.
    """
    options = CtcOptions(beam, most_symbols, threshold, extension_scores, scores)
    check_count("n_best", n_best, beam)
    values, counts = check_log_probs(log_probs, lengths)
    rows = range(values.shape[1])
    if beam == 1:
        return [
            [path_hypothesis(advance_path(start_path(), values[: counts[row], row]))]
            for row in rows
        ]
    place = Place() if scores is None else scores.start()
    states = advance_prefixes([start_prefixes(0, place) for _ in rows], values, counts, options)
    return [prefix_hypotheses(state, n_best, scores) for state in states]
