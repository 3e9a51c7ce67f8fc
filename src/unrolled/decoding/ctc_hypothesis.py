"""`CtcHypothesis`: a sequence of symbols that was heard, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CtcHypothesis:
    """One answer of a search over the output of a CTC model, with `U` symbols.

    Attributes:
        tokens: the symbols, 1 to V.
        log_probability: of all its alignments together that the search kept, in nats; of a best
            path (beam 1) that of the path alone.
        score: what it is ranked by, the greater the better: the log-probability and the scores of
            its extensions.
        frames: of each token the first and the last frame on which its most probable alignment has
            it. Blanks belong to no token.
        confidences: of each token the largest probability that the model gives it on these frames.
    """

    tokens: tuple[int, ...] = ()
    log_probability: float = 0.0
    score: float = 0.0
    frames: tuple[tuple[int, int], ...] = ()
    confidences: tuple[float, ...] = ()
