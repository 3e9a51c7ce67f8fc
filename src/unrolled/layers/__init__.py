"""Layers: cells (one step), `Recurrent` (any cell over time), torch's `RNN`, `GRU`, `LSTM`, and
`Session` (a trained layer, streamed).

Names are imported when first asked for, so that `import unrolled` does not import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.layers.cells import Cell as Cell
    from unrolled.layers.cells import GRUStep as GRUStep
    from unrolled.layers.cells import LSTMStep as LSTMStep
    from unrolled.layers.cells import RNNStep as RNNStep
    from unrolled.layers.convert import from_torch as from_torch
    from unrolled.layers.convert import to_torch as to_torch
    from unrolled.layers.convert_onnx import from_onnx as from_onnx
    from unrolled.layers.crf import CRF as CRF
    from unrolled.layers.explain import Explanation as Explanation
    from unrolled.layers.export import export_onnx as export_onnx
    from unrolled.layers.export import to_onnx as to_onnx
    from unrolled.layers.indrnn import IndRNNCell as IndRNNCell
    from unrolled.layers.lru import LRUBlock as LRUBlock
    from unrolled.layers.lru import LRUCell as LRUCell
    from unrolled.layers.minimal_cells import MinGRUCell as MinGRUCell
    from unrolled.layers.minimal_cells import MinLSTMCell as MinLSTMCell
    from unrolled.layers.minimal_layers import MinGRU as MinGRU
    from unrolled.layers.minimal_layers import MinLSTM as MinLSTM
    from unrolled.layers.onnx.models import onnx_translations as onnx_translations
    from unrolled.layers.parity import ParityReport as ParityReport
    from unrolled.layers.paths import choose_path as choose_path
    from unrolled.layers.paths import use_path as use_path
    from unrolled.layers.recurrent import Recurrent as Recurrent
    from unrolled.layers.replacement import Replaced as Replaced
    from unrolled.layers.replacement import Swap as Swap
    from unrolled.layers.replacement import replace as replace
    from unrolled.layers.rnn import GRU as GRU
    from unrolled.layers.rnn import LSTM as LSTM
    from unrolled.layers.rnn import RNN as RNN
    from unrolled.layers.session import Session as Session
    from unrolled.layers.slstm import SLSTMCell as SLSTMCell
    from unrolled.layers.tbptt import TBPTT as TBPTT
    from unrolled.layers.torch_cells import GRUCell as GRUCell
    from unrolled.layers.torch_cells import LSTMCell as LSTMCell
    from unrolled.layers.torch_cells import RNNCell as RNNCell

_HOMES = {
    "Cell": "cells",
    "GRUStep": "cells",
    "LSTMStep": "cells",
    "RNNStep": "cells",
    "from_torch": "convert",
    "to_torch": "convert",
    "from_onnx": "convert_onnx",
    "CRF": "crf",
    "Explanation": "explain",
    "export_onnx": "export",
    "to_onnx": "export",
    "LRUBlock": "lru",
    "LRUCell": "lru",
    "IndRNNCell": "indrnn",
    "MinGRUCell": "minimal_cells",
    "MinLSTMCell": "minimal_cells",
    "MinGRU": "minimal_layers",
    "MinLSTM": "minimal_layers",
    "onnx_translations": "onnx.models",
    "ParityReport": "parity",
    "choose_path": "paths",
    "use_path": "paths",
    "Recurrent": "recurrent",
    "Replaced": "replacement",
    "Swap": "replacement",
    "replace": "replacement",
    "GRU": "rnn",
    "LSTM": "rnn",
    "RNN": "rnn",
    "Session": "session",
    "SLSTMCell": "slstm",
    "GRUCell": "torch_cells",
    "LSTMCell": "torch_cells",
    "RNNCell": "torch_cells",
    "TBPTT": "tbptt",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = door(__name__, _HOMES)
