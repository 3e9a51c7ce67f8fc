"""Exported layers run by ONNX Runtime: any batch, any length, the state in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled import export_onnx, use_path
from unrolled.errors import ConfigError, MissingExtra, OutputError, ParityError
from unrolled.layers import GRU, LSTM, RNN, MinGRU, MinGRUCell, MinLSTM, Recurrent
from unrolled.layers.onnx import cells as onnx_cells
from unrolled.layers.states import State, tensors_of

I, H = 3, 4  # noqa: E741
SIZES = [(1, 1), (1, 6), (2, 1), (11, 4)]
"""`(T, B)`, others than those of the check inside the call."""


@pytest.fixture(autouse=True)
def _onnx() -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")


def widened(layer: Any) -> Any:
    """The layer with every parameter drawn wide, biases and gains too."""
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.normal_(0, 1 if parameter.dim() == 1 else 0.5)
            if name.startswith(("gain", "norm_c")):
                parameter.mul_(0.2).add_(0.5)  # large ones make the state chaotic
    return layer


def drawn(layer: Any, steps: int, batch: int) -> tuple[Tensor, State, dict[str, Tensor]]:
    """Input and state, as the layer takes them, and lengths and starts (flags beyond them too)."""
    dtype = next(layer.parameters()).dtype
    shape = (batch, steps) if layer.batch_first else (steps, batch)
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    x = torch.randn(*shape, I, dtype=dtype)
    h = torch.randn(rows, batch, layer.proj_size or H, dtype=dtype)
    state = (h, torch.randn(rows, batch, H, dtype=dtype)) if layer.mode == "LSTM" else h
    lengths = torch.randint(0, steps + 1, (batch,))
    return x, state, {"lengths": lengths, "starts": torch.rand(*shape) < 0.3}


def session_of(path: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def onnx_run(session: Any, x: Tensor, state: State, options: dict[str, Tensor]) -> list[Tensor]:
    names = ("h0", "c0")
    given = {"x": x, **dict(zip(names, tensors_of(state), strict=False)), **options}
    assert [part.name for part in session.get_inputs()] == list(given)
    assert [part.name for part in session.get_outputs()] == ["y", "hn", "cn"][: len(given)][
        : 1 + len([*tensors_of(state)])
    ]
    feed = {name: part.contiguous().numpy() for name, part in given.items()}
    return [torch.from_numpy(part) for part in session.run(None, feed)]


def assert_runs_as(layer: Any, path: Path, taken: tuple[str, ...]) -> None:
    session = session_of(path)
    bound = 2e-6 if next(layer.parameters()).dtype == torch.float32 else 1e-13
    if getattr(layer, "layer_norm", False):  # enlarges the rounding of sums that are nearly alike
        bound = 2e-2 if bound == 2e-6 else 1e-11
    for steps, batch in SIZES:
        x, state, options = drawn(layer, steps, batch)
        options = {name: options[name] for name in taken}
        with use_path("reference"), torch.no_grad():
            want = [*tensors_of(layer(x, state, **options))]
        if "lengths" in taken:  # what stands in the padding is never looked at
            time = torch.arange(steps).unsqueeze(1)
            padding = time >= options["lengths"]
            x = x.masked_fill(
                (padding.t() if layer.batch_first else padding).unsqueeze(-1), torch.nan
            )
        got = onnx_run(session, x, state, options)
        for a, b in zip(got, want, strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            scale = max(1.0, b.abs().max().item())
            assert (a - b).abs().max().item() <= bound * scale


KINDS: dict[str, Any] = {
    "tanh": lambda **o: RNN(I, H, **o),
    "relu": lambda **o: RNN(I, H, nonlinearity="relu", **o),
    "gru": lambda **o: GRU(I, H, **o),
    "lstm": lambda **o: LSTM(I, H, **o),
    "projected": lambda **o: LSTM(I, H, proj_size=2, **o),
    "minGRU": lambda **o: MinGRU(I, H, **o),
    "minLSTM": lambda **o: MinLSTM(I, H, **o),
}


@pytest.mark.parametrize("taken", [(), ("lengths",), ("starts",), ("lengths", "starts")])
@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_layer_runs_at_every_batch_and_length(
    kind: str, taken: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "layer.onnx"
    for options in (
        {"num_layers": 2, "bidirectional": True, "dropout": 0.5},
        {"batch_first": True, "bias": False, "dtype": torch.float64},
    ):
        layer = widened(KINDS[kind](**options))
        report = export_onnx(layer, path, **dict.fromkeys(taken, True))
        assert report.good
        assert layer.training
        assert_runs_as(layer.eval(), path, taken)


@pytest.mark.parametrize("taken", [(), ("lengths", "starts")])
@pytest.mark.parametrize(
    "options",
    [
        {"layer_norm": True},
        {"layer_norm": True, "bias": False},
        {"zoneout": (0.2, 0.3)},
        {"peephole": True, "kinds": ("lstm", "projected")},
        {"residual": True, "merge": "sum"},
        {"merge": "mean"},
        {"residual": True, "merge": "mul"},
        {"recurrent_dropout": 0.2, "weight_dropout": 0.5, "input_dropout": 0.4, "checkpoint": 3},
        {
            "layer_norm": True,
            "zoneout": 0.1,
            "residual": True,
            "peephole": True,
            "kinds": ("lstm",),
        },
    ],
    ids=str,
)
def test_the_options_of_a_layer_are_exported(
    options: dict[str, Any], taken: tuple[str, ...], tmp_path: Path
) -> None:
    path, options = tmp_path / "layer.onnx", dict(options)
    for kind in options.pop("kinds", ("tanh", "gru", "lstm", "projected")):
        own = dict(options)
        if own.get("zoneout") == (0.2, 0.3) and "lstm" not in kind and kind != "projected":
            own["zoneout"] = 0.2
        dtype = torch.float64 if taken else torch.float32
        layer = widened(KINDS[kind](num_layers=2, bidirectional=True, dtype=dtype, **own))
        normed = options.get("layer_norm") and dtype == torch.float32
        tolerance = 2e-2 if normed else None  # so few units are chaotic; float64 is judged strictly
        export_onnx(layer, path, tolerance=tolerance, **dict.fromkeys(taken, True))
        assert_runs_as(layer.eval(), path, taken)


def test_onnxs_own_node_is_taken_where_it_says_the_same(tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "layer.onnx"
    for layer, options, node in (
        (LSTM(I, H, 3), {"lengths": True}, "LSTM"),
        (GRU(I, H), {}, "GRU"),
        (RNN(I, H, bidirectional=True), {}, "RNN"),
        (GRU(I, H), {"starts": True}, "Scan"),
        (LSTM(I, H, proj_size=2), {}, "Scan"),
        (LSTM(I, H, dtype=torch.float64), {}, "Scan"),
        (MinGRU(I, H), {}, "Scan"),
    ):
        export_onnx(layer, path, **options)
        kinds = [part.op_type for part in onnx.load(path).graph.node]
        recurrent = [kind for kind in kinds if kind in ("LSTM", "GRU", "RNN", "Scan")]
        assert recurrent == [node] * layer.num_layers


def test_a_layer_of_torch_is_exported_too(tmp_path: Path) -> None:
    layer = widened(torch.nn.LSTM(I, H, 2, batch_first=True))
    report = export_onnx(layer, tmp_path / "layer.onnx", sizes=[(3, 2), (5, 1)])
    assert report.sizes == ((3, 2), (5, 1))
    assert str(report).startswith("torch.LSTM to ONNX: values differ by at most")
    with pytest.raises(ConfigError, match=r"starts: got a layer of torch\.nn.*from_torch"):
        export_onnx(layer, tmp_path / "layer.onnx", starts=True)


def test_the_same_layer_gives_the_same_file(tmp_path: Path) -> None:
    layer = LSTM(I, H, 2)
    state = torch.get_rng_state()
    for name in ("a", "b"):
        export_onnx(layer, tmp_path / name, lengths=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert torch.equal(torch.get_rng_state(), state)


def test_a_wrong_step_is_found_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "layer.onnx"
    path.write_bytes(b"as it was")

    def wrong(self: Any, inner: Any, parts: list[Any], states: list[Any]) -> list[Any]:
        h, c = right(self, inner, parts, states)
        return [h, inner.op("Tanh", c)]

    right = onnx_cells._Cell.lstm
    monkeypatch.setattr(onnx_cells._Cell, "lstm", wrong)
    with pytest.raises(ParityError, match=r"unrolled\.LSTM to ONNX: the two do not give") as caught:
        export_onnx(LSTM(I, H, proj_size=2), path)
    assert not caught.value.report.good
    assert path.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [path]


def test_what_can_not_be_exported_is_named(tmp_path: Path) -> None:
    path = tmp_path / "layer.onnx"
    bad = GRU(I, H)
    with torch.no_grad():
        bad.weight_hh_l0[0, 0] = float("inf")
    for layer, message in (
        (torch.nn.Linear(2, 2), "layer: got Linear, .*onnx_translations"),
        (Recurrent(MinGRUCell(I, H)), "layer: got Recurrent"),
        (LSTM(I, H, dtype=torch.bfloat16), r"weight_ih_l0: got dtype torch\.bfloat16.*\.float\(\)"),
        (bad, "weight_hh_l0: got NaN or infinity"),
    ):
        with pytest.raises(ConfigError, match=message):
            export_onnx(layer, path)
    for sizes in ([], [(0, 1)], [(1, 2, 3)], [3]):
        with pytest.raises(ConfigError, match="sizes: got"):
            export_onnx(GRU(I, H), path, sizes=sizes)
    with pytest.raises(ConfigError, match="tolerance: got nan"):
        export_onnx(GRU(I, H), path, tolerance=float("nan"))
    assert not path.exists()
    with pytest.raises(OutputError, match="is a folder"):
        export_onnx(GRU(I, H), tmp_path)
    with pytest.raises(OutputError, match="can't write into"):
        export_onnx(GRU(I, H), tmp_path / "lost" / "layer.onnx")


def test_without_onnx_the_pip_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"export_onnx needs .*pip install 'unrolled\[onnx\]'"):
        export_onnx(LSTM(I, H), tmp_path / "layer.onnx")
