"""Recurrent networks that you can train, see through and ship, on the machine you have.

The public door. Names are imported when they are first used, so that `import unrolled` is quick
and `torch` is loaded only by those who need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

__version__ = "0.1.0"

ROOMS = (
    "baselines",
    "data",
    "decoding",
    "demo",
    "errors",
    "kernels",
    "layers",
    "lens",
    "tasks",
    "training",
)
_HOMES = {
    "Batch": "data.batch",
    "Forecaster": "tasks.forecaster",
    "GRU": "layers.rnn",
    "Generator": "tasks.generator",
    "LSTM": "layers.rnn",
    "LRUBlock": "layers.lru",
    "LRUCell": "layers.lru",
    "MinGRU": "layers.minimal_layers",
    "MinLSTM": "layers.minimal_layers",
    "RNN": "layers.rnn",
    "Recurrent": "layers.recurrent",
    "Session": "layers.session",
    "UnrolledError": "errors",
    "info": "about",
    "load": "tasks.loading",
    "read_series": "data.series",
    "read_text": "data.text",
    "use_path": "layers.paths",
    **dict.fromkeys(ROOMS, ""),
}

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Batch",
    "Forecaster",
    "Generator",
    "LRUBlock",
    "LRUCell",
    "MinGRU",
    "MinLSTM",
    "Recurrent",
    "Session",
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
    from unrolled.layers import (
        GRU,
        LSTM,
        RNN,
        LRUBlock,
        LRUCell,
        MinGRU,
        MinLSTM,
        Recurrent,
        Session,
        use_path,
    )
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load

__getattr__, __dir__ = door(__name__, _HOMES)
