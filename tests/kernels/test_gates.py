"""From the products of a step to its state: the oracle against torch, the fast code against it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

CELLS = {"RNN_TANH": 0, "RNN_RELU": 1, "GRU": 2, "LSTM": 3}
cells = pytest.mark.parametrize("cell", CELLS)


def drawn(
    cell: str, batch: int, hidden: int, seed: int = 0, bias: tuple[bool, bool] = (True, True)
) -> dict[str, Tensor | None]:
    """Arguments in double precision, of products that bfloat16 holds."""
    generator = torch.Generator().manual_seed(seed)

    def numbers(*shape: int) -> Tensor:
        return 2 * torch.randn(shape, generator=generator)

    width = {"GRU": 3, "LSTM": 4}.get(cell, 1) * hidden
    products = {name: numbers(batch, width).bfloat16().double() for name in ("input", "state")}
    biases = {
        name: numbers(width).double() if there else None
        for name, there in zip(("bias_ih", "bias_hh"), bias, strict=True)
    }
    c = numbers(batch, hidden).double() if cell == "LSTM" else None
    return {**products, **biases, "h": numbers(batch, hidden).double(), "c": c}


def run(native: Any, cell: str, given: dict[str, Tensor | None], *, fast: bool) -> Tensor:
    """`(1, B, H)`, of an LSTM h and c `(2, B, H)`; nothing around them is written."""
    real = torch.float32 if fast else torch.float64
    arrays = {
        name: part
        if part is None
        else part.to(torch.bfloat16 if fast and name in ("input", "state") else real).contiguous()
        for name, part in given.items()
    }
    batch, hidden = given["h"].shape
    frames = [torch.full((batch * hidden + 16,), 7.0, dtype=real) for _ in range(2)]
    addresses = [0 if part is None else part.data_ptr() for part in arrays.values()]
    outs = [frame[8:-8] for frame in frames[: 2 if cell == "LSTM" else 1]]
    (native.gates if fast else native.oracle_gates)(
        CELLS[cell],
        batch,
        hidden,
        *addresses,
        *[out.data_ptr() for out in outs],
        *[0] * (2 - len(outs)),
    )
    for frame in frames:
        assert (frame[:8] == 7.0).all()
        assert (frame[-8:] == 7.0).all()
    return torch.stack(outs).view(-1, batch, hidden)


@cells
@pytest.mark.parametrize("bias", [(True, True), (True, False), (False, True), (False, False)])
def test_the_oracle_gives_what_a_cell_of_torch_gives(
    native: Any, cell: str, bias: tuple[bool, bool]
) -> None:
    given, size = drawn(cell, 3, 5, bias=bias), 5
    kind = {"GRU": torch.nn.GRUCell, "LSTM": torch.nn.LSTMCell}.get(cell, torch.nn.RNNCell)
    options = {} if kind is not torch.nn.RNNCell else {"nonlinearity": cell[4:].lower()}
    rival = kind(size, size, dtype=torch.float64, **options)
    x, h = torch.randn(3, size).double(), given["h"]
    with torch.no_grad():
        for name in ("bias_ih", "bias_hh"):
            getattr(rival, name).copy_(0.0 if given[name] is None else given[name])
        given["input"], given["state"] = x @ rival.weight_ih.t(), h @ rival.weight_hh.t()
        want = rival(x, (h, given["c"]) if cell == "LSTM" else h)
    found = run(native, cell, given, fast=False)
    want = torch.stack(want) if cell == "LSTM" else want[None]
    torch.testing.assert_close(found, want, rtol=1e-13, atol=1e-13)


@settings(max_examples=40)
@given(
    batch=st.integers(1, 4),
    hidden=st.integers(1, 70),
    seed=st.integers(0, 2**31),
    bias=st.tuples(st.booleans(), st.booleans()),
)
@cells
def test_the_fast_code_gives_what_the_oracle_gives(
    native: Any, isa: str, cell: str, batch: int, hidden: int, seed: int, bias: tuple[bool, bool]
) -> None:
    given = drawn(cell, batch, hidden, seed, bias)
    want, found = (run(native, cell, given, fast=fast) for fast in (False, True))
    torch.testing.assert_close(found.double(), want, rtol=3e-6, atol=3e-6)


@cells
def test_a_row_gives_the_same_bits_alone_and_keeps_its_nan(
    native: Any, isa: str, cell: str
) -> None:
    given = drawn(cell, 4, 37)
    together = run(native, cell, given, fast=True)
    for name in ("input", "state"):
        spoilt = {key: None if part is None else part.clone() for key, part in given.items()}
        spoilt[name][2] = torch.nan
        found = run(native, cell, spoilt, fast=True)
        assert found[0, 2].isnan().all()
        for row in (0, 1, 3):
            torch.testing.assert_close(found[:, row], together[:, row], rtol=0, atol=0)
    for row in range(4):
        alone = {
            key: part if part is None or part.dim() == 1 else part[row : row + 1]
            for key, part in given.items()
        }
        found = run(native, cell, alone, fast=True)[:, 0]
        torch.testing.assert_close(found, together[:, row], rtol=0, atol=0)
