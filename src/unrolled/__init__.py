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
    "lab",
    "layers",
    "lens",
    "tasks",
    "training",
)
_HOMES = {
    "Batch": "data.batch",
    "CRF": "layers.crf",
    "Classifier": "tasks.classifier",
    "DeadUnits": "errors",
    "ExplodingGradient": "errors",
    "Finding": "errors",
    "Forecaster": "tasks.forecaster",
    "GRU": "layers.rnn",
    "GRUCell": "layers.torch_cells",
    "Generator": "tasks.generator",
    "IndRNNCell": "layers.indrnn",
    "LSTM": "layers.rnn",
    "LRUBlock": "layers.lru",
    "LRUCell": "layers.lru",
    "LSTMCell": "layers.torch_cells",
    "LeakBetweenRows": "errors",
    "LeakFromPadding": "errors",
    "MinGRU": "layers.minimal_layers",
    "MinGRUCell": "layers.minimal_cells",
    "MinLSTM": "layers.minimal_layers",
    "MinLSTMCell": "layers.minimal_cells",
    "NGramModel": "decoding.ngrams.model",
    "RNN": "layers.rnn",
    "RNNCell": "layers.torch_cells",
    "Recurrent": "layers.recurrent",
    "SLSTMCell": "layers.slstm",
    "SaturatedGates": "errors",
    "Session": "layers.session",
    "StateBlowUp": "errors",
    "TBPTT": "layers.tbptt",
    "Tagger": "tasks.tagger",
    "Transcriber": "tasks.transcriber",
    "Translator": "tasks.translator",
    "UnrolledError": "errors",
    "UnrolledWarning": "errors",
    "VanishingGradient": "errors",
    "Watch": "training.watch",
    "check_leaks": "training.leaks",
    "diagnose": "training.diagnostics",
    "export_onnx": "layers.export",
    "from_onnx": "layers.convert_onnx",
    "from_torch": "layers.convert",
    "info": "about",
    "load": "tasks.loading",
    "read_labelled": "data.labelled",
    "read_pairs": "data.pairs",
    "read_recordings": "data.recordings_reading",
    "read_series": "data.series",
    "read_tagged": "data.tagged",
    "read_text": "data.text",
    "replace": "layers.replacement",
    "to_onnx": "layers.export",
    "to_torch": "layers.convert",
    "trace": "lens.tracing",
    "use_path": "layers.paths",
    **dict.fromkeys(ROOMS, ""),
}

__all__ = [
    "CRF",
    "GRU",
    "LSTM",
    "RNN",
    "TBPTT",
    "Batch",
    "Classifier",
    "DeadUnits",
    "ExplodingGradient",
    "Finding",
    "Forecaster",
    "GRUCell",
    "Generator",
    "IndRNNCell",
    "LRUBlock",
    "LRUCell",
    "LSTMCell",
    "LeakBetweenRows",
    "LeakFromPadding",
    "MinGRU",
    "MinGRUCell",
    "MinLSTM",
    "MinLSTMCell",
    "NGramModel",
    "RNNCell",
    "Recurrent",
    "SLSTMCell",
    "SaturatedGates",
    "Session",
    "StateBlowUp",
    "Tagger",
    "Transcriber",
    "Translator",
    "UnrolledError",
    "UnrolledWarning",
    "VanishingGradient",
    "Watch",
    "check_leaks",
    "diagnose",
    "export_onnx",
    "from_onnx",
    "from_torch",
    "info",
    "load",
    "read_labelled",
    "read_pairs",
    "read_recordings",
    "read_series",
    "read_tagged",
    "read_text",
    "replace",
    "to_onnx",
    "to_torch",
    "trace",
    "use_path",
]

if TYPE_CHECKING:
    from unrolled.about import info
    from unrolled.data.batch import Batch
    from unrolled.data.labelled import read_labelled
    from unrolled.data.pairs import read_pairs
    from unrolled.data.recordings_reading import read_recordings
    from unrolled.data.series import read_series
    from unrolled.data.tagged import read_tagged
    from unrolled.data.text import read_text
    from unrolled.decoding.ngrams.model import NGramModel
    from unrolled.errors import (
        DeadUnits,
        ExplodingGradient,
        Finding,
        LeakBetweenRows,
        LeakFromPadding,
        SaturatedGates,
        StateBlowUp,
        UnrolledError,
        UnrolledWarning,
        VanishingGradient,
    )
    from unrolled.layers import (
        CRF,
        GRU,
        LSTM,
        RNN,
        TBPTT,
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
        export_onnx,
        from_onnx,
        from_torch,
        replace,
        to_onnx,
        to_torch,
        use_path,
    )
    from unrolled.lens.tracing import trace
    from unrolled.tasks.classifier import Classifier
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load
    from unrolled.tasks.tagger import Tagger
    from unrolled.tasks.transcriber import Transcriber
    from unrolled.tasks.translator import Translator
    from unrolled.training.diagnostics import diagnose
    from unrolled.training.leaks import check_leaks
    from unrolled.training.watch import Watch

__getattr__, __dir__ = door(__name__, _HOMES)
