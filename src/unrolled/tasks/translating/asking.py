"""Sentences in, translations out: batches of like lengths through a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.beam import search
from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.hypotheses import Hypothesis
from unrolled.tasks.arrays import like
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.networks import AnyTranslationNetwork
from unrolled.tasks.translating.scorer import NetworkScorer

# Sentences that are searched at once: enough for a quick product, few enough that the longest keeps
# few others waiting.
_AT_ONCE = 64


@dataclass(frozen=True)
class Request:
    """How to translate.

    Attributes:
        beam, n_best, length_penalty, coverage_penalty, no_repeat, max_length, min_length: as in
            `unrolled.decoding.BeamOptions`; lengths are counted in tokens.
        prefix: what every translation begins with.
    """

    beam: int = 5
    n_best: int = 1
    length_penalty: float | Literal["mean"] = 1.0
    coverage_penalty: float = 0.0
    no_repeat: int = 0
    max_length: int | tuple[float, float] = (2.0, 10)
    min_length: int = 0
    prefix: str = ""

    def options(self, *, forbidden: tuple[int, ...] = ()) -> BeamOptions:
        """The search's own."""
        return BeamOptions(
            beam=self.beam,
            n_best=self.n_best,
            length_penalty=self.length_penalty,
            coverage_penalty=self.coverage_penalty,
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
        score: what it was ranked by, the greater the better.
        log_probability: in nats, of all its tokens and the end.
        finished: whether it ended by itself.
        source: `S` source tokens as text, the end symbol last.
        tokens: `T` tokens of the translation as text.
        source_ids, ids: the numbers of both.
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
    source_ids: tuple[int, ...]
    ids: tuple[int, ...]
    alignment: NDArray[np.float32] | None
    alternatives: tuple[Translation, ...] = field(default=(), repr=False)


def translations(
    model: AnyTranslationNetwork,
    tokens: PairTokens,
    sentences: Sequence[str],
    request: Request,
) -> list[Translation]:
    """The best translation of each sentence; it does not depend on the others but for rounding.

    Args:
        model: in evaluation.
        tokens: of both languages.
        sentences: one line each; an empty one stays empty.
        request: how to search.
    """
    sources = tokens.sources(sentences)
    options = request.options(forbidden=(0,) if tokens.kind == "subwords" else ())
    prefix = tokens.targets([request.prefix])[0][1:-1].tolist() if request.prefix else None
    device = like(model).device
    found: list[list[Hypothesis]] = [[] for _ in sources]
    lengths = np.array([len(one) for one in sources])
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 1]
    for begin in range(0, len(order), _AT_ONCE):
        places = order[begin : begin + _AT_ONCE]
        some = [sources[place] for place in places]
        answers = search(
            NetworkScorer(model, some),
            begin=tokens.end,
            end=tokens.end,
            sentences=lengths[places].tolist(),
            options=options,
            prefixes=None if prefix is None else [prefix] * len(some),
            device=device,
        )
        for place, hypotheses in zip(places, answers, strict=True):
            found[place] = hypotheses
    return [_translation(tokens, *one) for one in zip(sources, found, strict=True)]


def _translation(
    tokens: PairTokens, source: np.ndarray, hypotheses: Sequence[Hypothesis]
) -> Translation:
    if not hypotheses:
        return Translation("", 0.0, 0.0, True, (), (), (), (), None)
    pieces = tokens.source.pieces
    read = tuple(pieces[one] for one in source.tolist())
    written = tokens.target.pieces
    first, *others = (
        Translation(
            tokens.text(one.tokens),
            one.score,
            one.log_probability,
            one.finished,
            read,
            tuple(written[token] for token in one.tokens),
            tuple(source.tolist()),
            one.tokens,
            # the step that chose the end writes nothing
            None if one.attention is None else one.attention[: len(one.tokens)],
        )
        for one in hypotheses
    )
    return Translation(**{**vars(first), "alternatives": tuple(others)})
