"""`Searched`: the answers that a search found, and the translations that they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from unrolled.data.tokens.word_pattern import JOINER
from unrolled.decoding.hypotheses import Hypothesis
from unrolled.decoding.rescoring import text_scores
from unrolled.tasks.text_models import open_text_model
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.fusing import reranked
from unrolled.tasks.translating.request import NOTHING, Request, Translation, joined


class Part(NamedTuple):
    """A sentence, or a part of one that was too long.

    Attributes:
        text: what is translated.
        source: its tokens, the end symbol included.
        owner: the place of its sentence among those that were given.
        prefix: what its translation begins with.
    """

    text: str
    source: np.ndarray
    owner: int
    prefix: str


@dataclass(frozen=True, eq=False)
class Searched:
    """The answers of a search, which a language model may put in another order.

    Attributes:
        tokens: of both languages.
        parts: what was translated.
        found: of each part its answers, best first.
        says: of each answer its log-probability by the language model, in nats; None: there is no
            such model.
        sentences: how many the parts are of.
        request: how they were searched.
    """

    tokens: PairTokens
    parts: Sequence[Part]
    found: Sequence[Sequence[Hypothesis]]
    says: Sequence[Sequence[float]] | None
    sentences: int
    request: Request

    @classmethod
    def of(
        cls,
        tokens: PairTokens,
        parts: Sequence[Part],
        found: Sequence[Sequence[Hypothesis]],
        sentences: int,
        request: Request,
    ) -> Self:
        """The answers, with what the model that the request names for it says of them."""
        says = None
        if request.rerank is not None:
            model = open_text_model(request.rerank, "rerank")
            texts = [
                [
                    tokens.text(one.tokens, copied_into(tokens, part.text, one, part.prefix))
                    for one in hypotheses
                ]
                for part, hypotheses in zip(parts, found, strict=True)
            ]
            scores = text_scores(model, [text for some in texts for text in some])
            says = [[scores[text] for text in some] for some in texts]
        return cls(tokens, parts, found, says, sentences, request)

    def translations(self, weight: float | None = None) -> list[Translation]:
        """The best translation of each sentence.

        Args:
            weight: how much say the language model has; None: as the request has it.
        """
        weight = self.request.rerank_weight if weight is None else weight
        found = self.found
        if self.says is not None:
            penalty = self.request.length_penalty
            found = [
                reranked(some, says, weight, penalty)
                for some, says in zip(found, self.says, strict=True)
            ]
        most = self.request.n_best
        each: list[list[Translation]] = [[] for _ in range(self.sentences)]
        for one, hypotheses in zip(self.parts, found, strict=True):
            each[one.owner].append(_translation(self.tokens, one, hypotheses[:most]))
        return [joined(own, most) if own else NOTHING for own in each]


def copied_into(
    tokens: PairTokens, sentence: str, found: Hypothesis, prefix: str = ""
) -> dict[int, str]:
    """What stands in place of each unknown token: the source token it looked at most; in the prefix
    what was given."""
    unknown = [at for at, token in enumerate(found.tokens) if token == 0]
    if not unknown:
        return {}
    given = tokens.keys_of(prefix)
    copied = {at: given[at] for at in unknown if at < len(given)}
    if found.attention is not None:
        read = tokens.pieces_of(sentence)
        # The end symbol, the last of the source, can't be copied.
        looked = found.attention[:, : len(read)]
        copied |= {at: read[int(looked[at].argmax())] for at in unknown if at >= len(given)}
    return copied


def _translation(tokens: PairTokens, part: Part, hypotheses: Sequence[Hypothesis]) -> Translation:
    if not hypotheses:
        return NOTHING
    read = (*tokens.pieces_of(part.text), "\n")
    written = tokens.target.pieces
    made = []
    for one in hypotheses:
        copied = copied_into(tokens, part.text, one, part.prefix)
        made.append(
            Translation(
                tokens.text(one.tokens, copied),
                one.score,
                one.log_probability,
                one.finished,
                read,
                tuple(
                    copied[at].strip(JOINER) if at in copied else written[token]
                    for at, token in enumerate(one.tokens)
                ),
                # the step that chose the end writes nothing
                None if one.attention is None else one.attention[: len(one.tokens)],
            )
        )
    return Translation(**{**vars(made[0]), "alternatives": tuple(made[1:])})
