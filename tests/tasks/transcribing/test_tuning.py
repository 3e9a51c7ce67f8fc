"""What is measured while weights are chosen."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.tasks.transcribing.alike import TEXTS, language_model
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.tasks.transcribing.language import Language, Weights
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.tuning import tuned


@pytest.mark.parametrize(("share", "wrong"), [(0.9, 0.0), (0.1, 50.0)])
def test_silence_stays_silence_while_weights_are_chosen(share: float, wrong: float) -> None:
    symbols = Symbols.learn(TEXTS, kind="words", size=None)

    def heard(text: str, log_probability: float, score: float) -> CtcHypothesis:
        tokens = tuple(symbols.encode([text])[0].tolist())
        frames = ((0, 0),) * len(tokens)
        return CtcHypothesis(tokens, log_probability, score, frames, (1.0,) * len(tokens))

    class Head:
        def search(self, *_: Any, **__: Any) -> list[list[CtcHypothesis]]:
            # The language likes words better than none.
            silence = [heard("it", -9.0, 5.0), heard("", math.log(share), -9.0)]
            return [[heard("turn left", -0.1, 0.0)], silence]

    head: Any = Head()
    language = Language(symbols, Weights(), model=language_model())
    found = tuned([], ["turn left", ""], head, language, beam=2)
    assert [one.wer for one in found.trials] == pytest.approx([wrong] * len(found.trials))
