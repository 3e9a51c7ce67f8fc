"""The oracle against torch's own cells in double precision: its equations are the right ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 7), (2, 9, 5)])
def test_the_oracle_gives_what_torch_gives(
    run: Any, draw: Any, cell: str, bias: bool, shape: tuple[int, int, int]
) -> None:
    batch, size, hidden = shape
    inputs = draw(cell, batch, size, hidden, seed=3, bias_ih=bias, bias_hh=bias)
    tensors = {k: torch.from_numpy(v) for k, v in inputs.items() if v is not None}
    rival = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell](
        size, hidden, bias=bias, dtype=torch.float64
    )
    rival.load_state_dict({k: v for k, v in tensors.items() if k.startswith(("weight", "bias"))})
    with torch.no_grad():
        expected = (
            rival(tensors["x"], (tensors["h"], tensors["c"]))
            if cell == "lstm"
            else [rival(tensors["x"], tensors["h"])]
        )
    for got, other in zip(run(cell, inputs, np.float64), expected, strict=True):
        np.testing.assert_allclose(got, other.numpy(), rtol=0, atol=1e-14, equal_nan=False)
