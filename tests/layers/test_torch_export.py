"""`torch.export` with free batch and time and the state in and out: at any size, in any process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.export import Dim

from unrolled import kernels
from unrolled.layers import GRU, LSTM, RNN, MinGRU, MinLSTM
from unrolled.layers.states import map_state, tensors_of

from .native_calls import assert_near

pytestmark = [
    pytest.mark.skipif(not kernels.available(), reason=f"native kernels: {kernels.why_not()}"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
KINDS: dict[str, Any] = {
    "RNN": RNN,
    "GRU": GRU,
    "LSTM": LSTM,
    "MinGRU": MinGRU,
    "MinLSTM": MinLSTM,
}
I, H = 3, 5  # noqa: E741
SIZES = [(1, 1), (1, 4), (2, 1), (13, 3), (50, 7)]


def drawn(layer: Any, steps: int, batch: int) -> tuple[Any, ...]:
    """Input, state, lengths and starts."""
    shape = (batch, steps) if layer.batch_first else (steps, batch)
    x = torch.randn(*shape, I, dtype=torch.float64)
    h = torch.randn(layer.num_layers * 2, batch, layer.proj_size or H, dtype=torch.float64)
    state = (h, torch.randn(layer.num_layers * 2, batch, H, dtype=torch.float64))
    lengths = torch.randint(0, steps + 1, (batch,))
    starts = torch.rand(*shape) < 0.3
    return x, state if layer.mode == "LSTM" else h, lengths, starts


def exported(layer: Any) -> torch.export.ExportedProgram:
    x, state, lengths, starts = drawn(layer, 4, 3)
    time, batch = Dim("T", min=1), Dim("B", min=1)
    axes = {0: batch, 1: time} if layer.batch_first else {0: time, 1: batch}
    return torch.export.export(
        layer,
        (x, state),
        {"lengths": lengths, "starts": starts},
        dynamic_shapes={
            ("x" if "Min" in type(layer).__name__ else "input"): axes,
            ("state" if "Min" in type(layer).__name__ else "hx"): map_state(
                lambda _: {1: batch}, state
            ),
            "lengths": {0: batch},
            "starts": axes,
        },
        strict=False,
    )


def run(program: Any, layer: Any, steps: int, batch: int) -> tuple[Any, Any]:
    x, state, lengths, starts = drawn(layer, steps, batch)
    options = {"lengths": lengths, "starts": starts}
    return program.module()(x, state, **options), layer(x, state, **options)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_an_exported_layer_runs_at_every_batch_and_length(name: str, batch_first: bool) -> None:
    options: dict[str, Any] = {"num_layers": 2, "bidirectional": True, "batch_first": batch_first}
    if name == "LSTM" and batch_first:
        options["proj_size"] = 2
    layer = KINDS[name](I, H, dtype=torch.float64, **options)
    program = exported(layer)
    for steps, batch in SIZES:
        got, want = run(program, layer, steps, batch)
        assert_near(got, want, 1e-12)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_layer_with_every_option_is_exported_as_in_evaluation(name: str) -> None:
    options: dict[str, Any] = {"peephole": True} if name == "LSTM" else {}
    layer = KINDS[name](
        *(I, H, 3),
        bidirectional=True,
        merge="sum",
        residual=True,
        layer_norm=True,
        zoneout=0.1,
        dropout=0.3,
        recurrent_dropout=0.2,
        weight_dropout=0.5,
        input_dropout=0.4,
        init="orthogonal",
        checkpoint=3,
        dtype=torch.float64,
        **options,
    ).eval()
    program = exported(layer)
    for steps, batch in SIZES:
        got, want = run(program, layer, steps, batch)
        assert_near(got, want, 1e-12)


LOAD = """
import sys
import torch
import unrolled.layers.operator
for program, pairs in zip(sys.argv[1::2], sys.argv[2::2]):
    run = torch.export.load(program).module()
    for given, options, want in torch.load(pairs, weights_only=True):
        y, state = run(*given, **options)
        assert torch.equal(y, want[0])
        state = [*state] if isinstance(state, (tuple, list)) else [state]
        assert all(torch.equal(a, b) for a, b in zip(state, want[1:], strict=True))
        print(*y.shape)
assert "unrolled.layers.rnn" not in sys.modules
"""


def test_a_saved_program_runs_in_a_fresh_process(tmp_path: Path) -> None:
    """With no more of the package than the operators."""
    files: list[Path] = []
    for name in ("LSTM", "MinGRU"):
        layer = KINDS[name](I, H, dtype=torch.float64, num_layers=2, bidirectional=True)
        files += [tmp_path / f"{name}.pt2", tmp_path / f"{name}.pt"]
        torch.export.save(exported(layer), files[-2])
        runs = []
        for steps, batch in SIZES[1:4]:
            x, state, lengths, starts = drawn(layer, steps, batch)
            options = {"lengths": lengths, "starts": starts}
            with torch.no_grad():
                y, final = layer(x, state, **options)
            runs.append(((x, state), options, [y, *tensors_of(final)]))
        torch.save(runs, files[-1])
    ran = subprocess.run([sys.executable, "-c", LOAD, *files], capture_output=True, text=True)
    shapes = "".join(f"{steps} {batch} {2 * H}\n" for steps, batch in SIZES[1:4])
    assert ran.stdout == 2 * shapes, ran.stderr
