"""The tasks: from data to an answer, each with `fit`, `predict`, `evaluate`, `save` and `step`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.tasks.evaluation import Comparison, Evaluation, NetworkLoses
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load

_HOMES = {
    "Comparison": "evaluation",
    "Evaluation": "evaluation",
    "Forecaster": "forecaster",
    "Generator": "generator",
    "NetworkLoses": "evaluation",
    "load": "loading",
}

__all__ = ["Comparison", "Evaluation", "Forecaster", "Generator", "NetworkLoses", "load"]

__getattr__, __dir__ = door(__name__, _HOMES)
