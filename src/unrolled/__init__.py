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
    "GRUCell": "layers.torch_cells",
    "Generator": "tasks.generator",
    "IndRNNCell": "layers.indrnn",
    "LSTM": "layers.rnn",
    "LRUBlock": "layers.lru",
    "LRUCell": "layers.lru",
    "LSTMCell": "layers.torch_cells",
    "MinGRU": "layers.minimal_layers",
    "MinGRUCell": "layers.minimal_cells",
    "MinLSTM": "layers.minimal_layers",
    "MinLSTMCell": "layers.minimal_cells",
    "RNN": "layers.rnn",
    "RNNCell": "layers.torch_cells",
    "Recurrent": "layers.recurrent",
    "SLSTMCell": "layers.slstm",
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
    "GRUCell",
    "Generator",
    "IndRNNCell",
    "LRUBlock",
    "LRUCell",
    "LSTMCell",
    "MinGRU",
    "MinGRUCell",
    "MinLSTM",
    "MinLSTMCell",
    "RNNCell",
    "Recurrent",
    "SLSTMCell",
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
        GRUCell,
        IndRNNCell,
        LRUBlock,
        LRUCell,
        LSTMCell,
        MinGRU,
        MinGRUCell,
        MinLSTM,
        MinLSTMCell,
        Recurrent,
        RNNCell,
        Session,
        SLSTMCell,
        use_path,
    )
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load

__getattr__, __dir__ = door(__name__, _HOMES)
