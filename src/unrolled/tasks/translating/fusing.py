"""A `Generator` that has a say in a translation: token by token, or of whole answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from unrolled.data.tokens.tokenizer import Tokenizer
from unrolled.decoding.hypotheses import Hypothesis, rerank
from unrolled.decoding.penalties import length_penalty
from unrolled.decoding.scorer import LogProbabilities
from unrolled.errors import ConfigError
from unrolled.layers.states import map_state
from unrolled.tasks.generating.reading import Place, Reader

if TYPE_CHECKING:
    from unrolled.tasks.generator import Generator


class GeneratorScorer:
    """The rows of a search as a generator reads them: each from the beginning of a document.

    Args:
        reader: of the generator. A search begins with the line break, as every document does.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._place = Place()

    def step(self, tokens: Tensor) -> LogProbabilities:
        """Read one token `(R,)` in every row."""
        found = self._reader.step(tokens.tolist(), self._place)
        self._place = found.place
        return LogProbabilities(found.logits.log_softmax(-1))

    def select(self, rows: Tensor) -> None:
        """Row `i` becomes what row `rows[i]` was."""
        state, grams = self._place.state, self._place.grams
        rows = rows.to(self._reader.device)
        self._place = Place(
            None if state is None else map_state(lambda part: part.index_select(1, rows), state),
            None if grams is None else grams[rows.cpu().numpy()],
        )


def check_fusable(generator: Generator, tokens: Tokenizer) -> None:
    """ConfigError where the generator reads other tokens than the translator writes."""
    if generator.vocabulary != tokens:
        raise ConfigError(
            "fuse: the generator reads other tokens than the translator writes; train it with"
            " Generator().fit(text, tokens_of=translator), or use rerank="
        )


def reranked(
    hypotheses: Sequence[Hypothesis],
    log_probabilities: Sequence[float],
    weight: float,
    alpha: float | str,
) -> list[Hypothesis]:
    """The answers to a sentence with the scores, and in the order, of a language model's say.

        score'(y) = score(y) + weight * log q(y) / penalty(|y|)

    with the length penalty that the search ranked by, so that both are of one size.

    Args:
        hypotheses: the answers, best first.
        log_probabilities: log q of each, in nats.
        weight: 0 or more.
        alpha: of the length penalty.
    """

    def said(found: Sequence[Hypothesis]) -> list[float]:
        sizes = np.array([len(one.token_log_probabilities) for one in found])
        return (np.array(log_probabilities) / length_penalty(sizes, alpha)).tolist()

    return rerank(hypotheses, said, weight)
