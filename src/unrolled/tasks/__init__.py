"""The tasks: from data to an answer, each with `fit`, `predict`, `evaluate`, `save` and `step`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.decoding.text_score import TextScore
    from unrolled.tasks.classifier import Classifier
    from unrolled.tasks.evaluation import Comparison, Evaluation, NetworkLoses
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generating.keystrokes import Typing
    from unrolled.tasks.generating.neural_cache import NeuralCache
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load
    from unrolled.tasks.tagger import Tagger
    from unrolled.tasks.transcriber import Transcriber
    from unrolled.tasks.translator import Translator

_HOMES = {
    "Classifier": "classifier",
    "Comparison": "evaluation",
    "Evaluation": "evaluation",
    "Forecaster": "forecaster",
    "Generator": "generator",
    "NetworkLoses": "evaluation",
    "Tagger": "tagger",
    "Transcriber": "transcriber",
    "Translator": "translator",
    "NeuralCache": "generating.neural_cache",
    "TextScore": "generating.scoring",
    "Typing": "generating.keystrokes",
    "load": "loading",
}

__all__ = [
    "Classifier",
    "Comparison",
    "Evaluation",
    "Forecaster",
    "Generator",
    "NetworkLoses",
    "NeuralCache",
    "Tagger",
    "TextScore",
    "Transcriber",
    "Translator",
    "Typing",
    "load",
]

__getattr__, __dir__ = door(__name__, _HOMES)
