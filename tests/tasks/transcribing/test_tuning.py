"""How weights of a language are chosen: all together, with words made up for, silence as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from unrolled import NGramModel
from unrolled.decoding import CtcHypothesis
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.decoding.text_score import TextScore
from unrolled.tasks.transcribing.language import Language, Weights
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.tuning import tuned

RIGHT, WRONG = "a b c", "a c"
SYMBOLS = Symbols.learn([RIGHT], kind="characters", size=None)


def hypothesis(text: str, score: float) -> CtcHypothesis:
    tokens = tuple(SYMBOLS.pieces.index(letter) for letter in text)
    return CtcHypothesis(tokens, score, score, tuple((at, at) for at in range(len(tokens))))


class Search:
    """A head that answers by what the language adds, and not by what was heard."""

    name = "ctc"

    def __init__(self, order: Callable[[PrefixScores | None], list[CtcHypothesis]]) -> None:
        self.order = order

    def search(
        self, answers: Sequence[np.ndarray], *, scores: PrefixScores | None, **_: Any
    ) -> list[list[CtcHypothesis]]:
        return [self.order(scores) for _ in answers]


class Short:
    """A model that finds every word improbable."""

    def score(self, texts: list[str]) -> list[TextScore]:
        return [TextScore(-3.0 * len(text.split()), len(text), 1, 0, None) for text in texts]


def tune(search: Search, **models: Any) -> Weights:
    language = Language(SYMBOLS, **models)
    head: Any = search
    return tuned([np.zeros((1, 2))], [RIGHT], head, language, beam=2).weights


def test_numbers_that_help_only_together_are_found() -> None:
    def order(scores: PrefixScores | None) -> list[CtcHypothesis]:
        far = scores is not None and scores.weight > 0.9 and scores.word_bonus > 0.9
        return [hypothesis(RIGHT if far else WRONG, -1.0)]

    found = tune(Search(order), model=NGramModel(2).fit([RIGHT], holdout=0))
    assert found.weight > 0.9
    assert found.word_bonus > 0.9


def test_a_second_pass_alone_gets_a_bonus_for_each_word() -> None:
    each = [hypothesis(RIGHT, -1.0), hypothesis(WRONG, -2.0)]
    worse = [hypothesis("a b b", -0.5)]

    def order(scores: PrefixScores | None) -> list[CtcHypothesis]:
        assert scores is not None
        assert scores.word_bonus == 0.0
        return [*worse, *each]

    class Knows(Short):
        def score(self, texts: list[str]) -> list[TextScore]:
            return [
                TextScore(one.log_probability - 9.0 * ("b b" in text), one.characters, 1, 0, None)
                for text, one in zip(texts, super().score(texts), strict=True)
            ]

    found = tune(Search(order), writer=Knows())
    assert found.rerank_weight > 0
    # One word less costs 1 nat of the sound and saves 3 of the model.
    assert found.word_bonus > 3 * found.rerank_weight - 1
    applied = Language(SYMBOLS, found, writer=Knows()).scores
    assert applied is not None
    assert applied.word_bonus == found.word_bonus


@pytest.mark.parametrize(("share", "wrong"), [(0.9, 0.0), (0.1, 100 / 3)])
def test_silence_stays_silence_while_weights_are_chosen(share: float, wrong: float) -> None:
    # The language likes words better than none.
    nothing = CtcHypothesis((), math.log(share), -9.0)
    silence = [CtcHypothesis(hypothesis("a", -9.0).tokens, -9.0, 5.0, ((0, 0),)), nothing]

    class Head(Search):
        def search(
            self, answers: Sequence[np.ndarray], *, scores: PrefixScores | None, **_: Any
        ) -> list[list[CtcHypothesis]]:
            return [[hypothesis(RIGHT, -0.1)], silence]

    head: Any = Head(lambda _: [])
    language = Language(SYMBOLS, Weights(), model=NGramModel(2).fit([RIGHT], holdout=0))
    found = tuned([], [RIGHT, ""], head, language, beam=2)
    assert [one.wer for one in found.trials] == pytest.approx([wrong] * len(found.trials))
