"""How to search in the output of a CTC model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.ctc_checks import check_count
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.errors import ConfigError, ShapeError


@dataclass(frozen=True, eq=False)
class CtcOptions:
    """Options of a search over the output of a CTC model.

    Attributes:
        beam: prefixes that go on from frame to frame; 1 is the best path (the best symbol of each
            frame), which is quicker and another search.
        most_symbols: only the so many best symbols of a frame, beside the blank, extend a prefix;
            None: all of them.
        threshold: nor do symbols that are more nats than this below the best of a frame, the blank
            among them; None: no such limit. What is cut by either still prolongs the symbol that a
            prefix ends in.
        extension_scores: `(1 + V,)`, added to a prefix's score where a symbol extends it: at the
            symbol that ends a word, a bonus for each word. The first, the blank's, counts for
            nothing. None: 0 for all.
        scores: what a language model and hot words add; None: nothing.

    Raises:
        ConfigError, ShapeError: a value that can't work.
    """

    beam: int = 16
    most_symbols: int | None = None
    threshold: float | None = None
    extension_scores: Sequence[float] | NDArray[np.float64] | None = None
    scores: PrefixScores | None = None
    extension: NDArray[np.float64] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_count("beam", self.beam)
        if self.most_symbols is not None:
            check_count("most_symbols", self.most_symbols)
        limit = self.threshold
        if limit is not None and not (
            isinstance(limit, Real) and not isinstance(limit, bool) and 0 <= float(limit) < math.inf
        ):
            raise ConfigError(f"threshold: got {limit!r}, expected nats, a number from 0 on")
        if self.scores is not None and self.beam == 1:
            raise ConfigError(
                "beam: the best path (beam=1) hears no language model and no hot words; search with"
                " a beam of 2 or more"
            )
        object.__setattr__(self, "extension", self._extension())

    def _extension(self) -> NDArray[np.float64] | None:
        if self.extension_scores is None:
            return None
        if self.beam == 1:
            raise ConfigError(
                "extension_scores: the best path (beam=1) takes none; search with a beam of 2 or"
                " more"
            )
        scores = np.ascontiguousarray(self.extension_scores, dtype=np.float64)
        if scores.ndim != 1 or not np.isfinite(scores).all():
            raise ConfigError("extension_scores: expected (1 + V,) finite numbers")
        return scores

    def check_symbols(self, symbols: int) -> None:
        """ShapeError unless the scores are of so many symbols, the blank included."""
        if self.scores is not None and self.scores.symbols != symbols:
            raise ShapeError(
                f"scores: got those of {self.scores.symbols} symbols, expected 1 + V = {symbols}"
            )
        if self.extension is not None and len(self.extension) != symbols:
            raise ShapeError(
                f"extension_scores: got {len(self.extension)} numbers, expected 1 + V = {symbols}"
            )
