"""`Request`: how to translate; `Translation`: what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.penalties import check_weight
from unrolled.errors import ConfigError

TOO_LONG = ("keep", "split", "truncate")
PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Request:
    """How to translate.

    Attributes:
        beam, n_best, length_penalty, coverage_penalty, prune, no_repeat, max_length, min_length:
            as in `unrolled.decoding.BeamOptions`; lengths are counted in tokens. By the mean of its
            tokens no answer wins that ends at once, as now and then by a penalty of 1.
        prefix: what every translation begins with, as it is given: its unknown tokens, too. Of a
            sentence that is split the first part begins with it.
        too_long: what becomes of a sentence with more tokens than any that was learnt: "keep" it as
            it is, "split" it after a mark and translate the parts (its `n_best` are those of all
            ways to join answers to the parts that have the greatest sums of scores), or "truncate"
            it. A warning tells it in any case.
        fuse: a `Generator` of the target language that has a say in every token, or its file; it
            must read the tokens that the translator writes (`Generator.fit(..., tokens_of=)`).
        fuse_weight: of its log-probabilities.
        rerank: a `Generator` or `NGramModel` that has a say in which of the answers of the beam is
            the best, or its file; it may read any tokens.
        rerank_weight: of its log-probabilities; a translator that was tuned has its own.
        precision: of the products in every step. "fp32"; "bf16": those of the decoder's layers
            in bfloat16; and where the processor multiplies int8 in hardware the scores of all
            tokens in that, and those of the best again in float32. It may find another translation
            of nearly the same score: in 18 of 1,014 sentences of Multi30k's validation part (BLEU
            41.17, and 41.23 in float32), in 3 of them for the scores alone. "auto": each of the
            two where the processor does it in hardware.

    Raises:
        ConfigError: a value out of its range.
    """

    beam: int = 5
    n_best: int = 1
    length_penalty: float | Literal["mean"] = "mean"
    coverage_penalty: float = 0.0
    prune: float | None = None
    no_repeat: int = 0
    max_length: int | tuple[float, float] = (2.0, 10)
    min_length: int = 0
    prefix: str = ""
    too_long: str = "keep"
    fuse: Any = None
    fuse_weight: float = 0.2
    rerank: Any = None
    rerank_weight: float = 0.2
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.too_long not in TOO_LONG:
            expected = ", ".join(TOO_LONG)
            raise ConfigError(f"too_long: got {self.too_long!r}, expected one of {expected}")
        if self.precision not in PRECISIONS:
            expected = ", ".join(PRECISIONS)
            raise ConfigError(f"precision: got {self.precision!r}, expected one of {expected}")
        if not isinstance(self.prefix, str):
            raise ConfigError(f"prefix: got {type(self.prefix).__name__}, expected a text")
        for name in ("fuse_weight", "rerank_weight"):
            check_weight(name, getattr(self, name))
        self.options()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Request:
        """From options by name.

        Raises:
            ConfigError: a name that is none, or a value out of its range.
        """
        known = [one.name for one in fields(cls)]
        for name in given:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                guess = f"did you mean {close[0]}? " if close else ""
                raise ConfigError(f"{name}: no such option: {guess}there are {', '.join(known)}")
        return cls(**given)

    def options(self, *, forbidden: tuple[int, ...] = ()) -> BeamOptions:
        """The search's own; what is to be re-ranked are all answers that it has."""
        return BeamOptions(
            beam=self.beam,
            n_best=self.n_best if self.rerank is None else max(self.beam, self.n_best),
            length_penalty=self.length_penalty,
            coverage_penalty=self.coverage_penalty,
            prune=self.prune,
            no_repeat=self.no_repeat,
            max_length=self.max_length,
            min_length=self.min_length,
            forbidden=forbidden,
        )


@dataclass(frozen=True, eq=False)
class Translation:
    """A translation, and how the model came to it.

    Attributes:
        text: the translation.
        score: what it was ranked by, the greater the better: where a language model had a say, with
            that; of a sentence that was split the sum of its parts'.
        log_probability: in nats, of all its tokens and the end.
        finished: whether it ended by itself.
        source: `S` source tokens as text, the end symbol last.
        tokens: `T` tokens of the translation as text.
        alignment: `(T, S)` float32, how much each token looked at each source token; rows add up
            to 1. None without attention.
        alternatives: the next best translations, best first, where `n_best` asked for more.
    """

    text: str
    score: float
    log_probability: float
    finished: bool
    source: tuple[str, ...]
    tokens: tuple[str, ...]
    alignment: NDArray[np.float32] | None
    alternatives: tuple[Translation, ...] = field(default=(), repr=False)


NOTHING = Translation("", 0.0, 0.0, True, (), (), None)


def joined(parts: Sequence[Translation], most: int = 1) -> Translation:
    """The translations of the parts of a sentence as that of the whole; scores are added up.

    Args:
        parts: of each part the best translation, with its alternatives.
        most: how many translations of the whole to give, of all ways to join those of the parts.
    """
    if len(parts) == 1:
        return parts[0]
    ways: list[tuple[Translation, ...]] = [()]
    for part in parts:
        longer = product(ways, (part, *part.alternatives))
        # No way that is left out here can be among the best in the end: all go on with the same.
        ways = sorted(((*way, one) for way, one in longer), key=_rank)[:most]
    first, *others = map(_one_after_another, ways)
    return replace(first, alternatives=tuple(others))


def _rank(way: tuple[Translation, ...]) -> tuple[int, float]:
    """As a search ranks: what is finished comes before what was cut."""
    return sum(not one.finished for one in way), -sum(one.score for one in way)


def _one_after_another(parts: Sequence[Translation]) -> Translation:
    alignment = None
    if all(one.alignment is not None for one in parts):
        rows = sum(len(one.tokens) for one in parts)
        alignment = np.zeros((rows, sum(len(one.source) for one in parts)), dtype=np.float32)
        row = column = 0
        for one in parts:
            to = (row + len(one.tokens), column + len(one.source))
            alignment[row : to[0], column : to[1]] = one.alignment
            row, column = to
    return Translation(
        " ".join(one.text for one in parts if one.text),
        sum(one.score for one in parts),
        sum(one.log_probability for one in parts),
        all(one.finished for one in parts),
        tuple(piece for one in parts for piece in one.source),
        tuple(piece for one in parts for piece in one.tokens),
        alignment,
    )
