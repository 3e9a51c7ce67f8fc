"""Models that hold our layers, written by torch's own ONNX exporter with our table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.export import Dim

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import GRU, LSTM, RNN, MinGRU, MinLSTM, onnx_translations

pytestmark = [
    pytest.mark.skipif(not kernels.available(), reason=f"native kernels: {kernels.why_not()}"),
    # torch's own exporter uses what torch deprecates
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported"),
]


@pytest.fixture(autouse=True)
def _onnx() -> Iterator[None]:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


class Model(torch.nn.Module):
    """Each kind of layer, as a node and as a Scan, between layers of torch's."""

    def __init__(self) -> None:
        super().__init__()
        self.read = torch.nn.Linear(3, 4)
        self.lstm = LSTM(4, 5, bidirectional=True, batch_first=True, peephole=True, merge="sum")
        self.normed = LSTM(
            5, 6, proj_size=3, batch_first=True, layer_norm=True, zoneout=0.2, peephole=True
        )
        self.gru = GRU(3, 5, batch_first=True, layer_norm=True, bias=False)
        self.rnn = RNN(5, 4, bidirectional=True, nonlinearity="relu", batch_first=True)
        self.mingru = MinGRU(8, 3, bidirectional=True, batch_first=True)
        self.minlstm = MinLSTM(6, 4, bias=False, batch_first=True)
        self.write = torch.nn.Linear(4, 2)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.normal_(0.5 if "gain" in name or "norm_c" in name else 0, 0.3)

    def forward(
        self, x: Tensor, h: Tensor, c: Tensor, lengths: Tensor, starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        y, (h, c) = self.lstm(self.read(x), (h, c), lengths=lengths)
        y, _ = self.normed(y, lengths=lengths, starts=starts)
        y, _ = self.gru(y, starts=starts)
        y, _ = self.rnn(y, lengths=lengths)
        y, _ = self.mingru(y, lengths=lengths, starts=starts)
        y, _ = self.minlstm(y)
        return self.write(y), h, c


def drawn(steps: int, batch: int) -> dict[str, Tensor]:
    return {
        "x": torch.randn(batch, steps, 3),
        "h": torch.randn(2, batch, 5),
        "c": torch.randn(2, batch, 5),
        "lengths": torch.randint(0, steps + 1, (batch,)),
        "starts": torch.rand(batch, steps) < 0.3,
    }


@pytest.mark.filterwarnings("ignore:# The axis name")
def test_a_model_of_all_layers_runs_at_every_batch_and_length(tmp_path: Path) -> None:
    import onnx
    import onnxruntime

    model = Model().eval()
    batch, steps, path = Dim("B", min=1), Dim("T", min=1), tmp_path / "model.onnx"
    torch.onnx.export(
        model,
        kwargs=drawn(4, 3),
        f=path,
        dynamo=True,
        verbose=False,
        custom_translation_table=onnx_translations(),
        dynamic_shapes={
            "x": {0: batch, 1: steps},
            "h": {1: batch},
            "c": {1: batch},
            "lengths": {0: batch},
            "starts": {0: batch, 1: steps},
        },
    )
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert [kind for kind in kinds if kind in ("LSTM", "GRU", "RNN", "Scan")] == [
        *("LSTM", "Scan", "Scan", "RNN", "Scan", "Scan", "Scan")
    ]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for size in ((1, 1), (1, 5), (21, 3), (50, 2)):
        given = drawn(*size)
        got = session.run(None, {name: part.numpy() for name, part in given.items()})
        with torch.no_grad():
            want = model(**given)
        for a, b in zip(got, want, strict=True):
            assert (torch.from_numpy(a) - b).abs().max().item() <= 2e-5


def test_what_has_no_word_in_onnx_is_named() -> None:
    table = onnx_translations()
    with (
        pytest.warns(UserWarning, match="training mode"),
        pytest.raises(Exception, match="Failed to") as caught,
    ):
        torch.onnx.export(
            LSTM(3, 4, recurrent_dropout=0.5).train(),
            (torch.randn(5, 2, 3),),
            dynamo=True,
            verbose=False,
            custom_translation_table=table,
        )
    assert "got masks of zoneout or recurrent dropout" in causes(caught.value)
    packed = (None, None, [], None, None, torch.tensor([2, 1]), "MIN_GRU", False)
    with pytest.raises(ConfigError, match="got a PackedSequence inside the model"):
        table[torch.ops.unrolled.minimal_recurrence.default](*packed)


def causes(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__
    return "\n".join(texts)
