"""Recurrent networks that you can train, see through and ship, on the machine you have.

The public door. Names are imported when they are first used, so that `import unrolled` is quick
and `torch` is loaded only by those who need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Batch": "unrolled.data.batch",
    "Forecaster": "unrolled.tasks.forecaster",
    "GRU": "unrolled.layers",
    "Generator": "unrolled.tasks.generator",
    "LSTM": "unrolled.layers",
    "RNN": "unrolled.layers",
    "Recurrent": "unrolled.layers",
    "UnrolledError": "unrolled.errors",
    "info": "unrolled.about",
    "load": "unrolled.tasks.loading",
    "read_series": "unrolled.data.series",
    "read_text": "unrolled.data.text",
    "use_path": "unrolled.layers",
}
_ROOMS = (
    "baselines",
    "data",
    "decoding",
    "errors",
    "kernels",
    "layers",
    "lens",
    "tasks",
    "training",
)

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Batch",
    "Forecaster",
    "Generator",
    "Recurrent",
    "UnrolledError",
    "info",
    "load",
    "read_series",
    "read_text",
    "use_path",
]

if TYPE_CHECKING:
    from unrolled.about import info
    from unrolled.data.batch import Batch
    from unrolled.data.series import read_series
    from unrolled.data.text import read_text
    from unrolled.errors import UnrolledError
    from unrolled.layers import GRU, LSTM, RNN, Recurrent, use_path
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"unrolled.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'unrolled' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_ROOMS])
