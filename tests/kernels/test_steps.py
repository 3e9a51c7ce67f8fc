"""The fast steps against their double-precision oracle, on each instruction set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ULP = 2.0**-23
sizes = st.integers(1, 21)


def assert_near(got: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> None:
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        difference = np.abs(one.astype(np.float64) - other)
        assert (difference <= tolerance * np.maximum(1.0, np.abs(other))).all()  # fails on NaN


@settings(max_examples=60)
@given(
    batch=st.integers(1, 5),
    size=sizes,
    hidden=sizes,
    bias_ih=st.booleans(),
    bias_hh=st.booleans(),
    scale=st.sampled_from([0.01, 1.0, 4.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_fast_step_gives_what_its_oracle_gives(
    isa: str,
    run: Any,
    draw: Any,
    batch: int,
    size: int,
    hidden: int,
    bias_ih: bool,
    bias_hh: bool,
    scale: float,
    seed: int,
) -> None:
    for cell in ("lstm", "gru"):
        inputs = draw(
            cell, batch, size, hidden, seed, bias_ih=bias_ih, bias_hh=bias_hh, scale=scale
        )
        # Each product is rounded once; the sums before the gates are of at most 44 terms.
        bound = sum(
            np.abs(inputs[w]).max() * np.abs(inputs[v]).max() * inputs[v].shape[1]
            for w, v in (("weight_ih", "x"), ("weight_hh", "h"))
        )
        assert_near(
            run(cell, inputs, np.float32), run(cell, inputs, np.float64), 4 * ULP * (1 + bound)
        )


@pytest.mark.parametrize("shape", [(1, 256, 256), (3, 100, 130)])
def test_large_steps_give_what_the_oracle_gives(
    isa: str, run: Any, draw: Any, cell: str, shape: tuple[int, int, int]
) -> None:
    inputs = draw(cell, *shape, seed=1)
    assert_near(run(cell, inputs, np.float32), run(cell, inputs, np.float64), 1e-6)


@settings(max_examples=30)
@given(batch=st.integers(2, 6), size=sizes, hidden=sizes, seed=st.integers(0, 2**32 - 1))
def test_a_row_of_a_batch_gives_the_same_bits_alone(
    isa: str, run: Any, draw: Any, batch: int, size: int, hidden: int, seed: int
) -> None:
    for cell in ("lstm", "gru"):
        inputs = draw(cell, batch, size, hidden, seed)
        together = run(cell, inputs, np.float32)
        for row in range(batch):
            alone = {
                name: array[row : row + 1] if name in ("x", "h", "c") else array
                for name, array in inputs.items()
            }
            for one, all_ in zip(run(cell, alone, np.float32), together, strict=True):
                np.testing.assert_array_equal(one[0], all_[row])


@pytest.mark.parametrize("name", ["x", "h"])
def test_a_nan_in_a_row_comes_out_in_that_row_and_no_other(
    isa: str, run: Any, draw: Any, cell: str, name: str
) -> None:
    for row in range(3):
        inputs = draw(cell, 3, 5, 11, seed=row)
        clean = run(cell, inputs, np.float32)
        inputs[name][row, -1] = np.nan
        for got, before in zip(run(cell, inputs, np.float32), clean, strict=True):
            assert np.isnan(got[row]).all()
            others = np.arange(3) != row
            np.testing.assert_array_equal(got[others], before[others])


def test_a_nan_in_one_cell_state_stays_in_its_unit(isa: str, run: Any, draw: Any) -> None:
    inputs = draw("lstm", 2, 3, 9, seed=0)
    inputs["c"][1, 4] = np.nan
    for got in run("lstm", inputs, np.float32):
        assert np.argwhere(np.isnan(got)).tolist() == [[1, 4]]


def gates_fed_with(cell: str, gates: list[np.ndarray], c: float = 0.0) -> dict[str, Any]:
    """Inputs of a network with one unit, a row for each value: gate k sees exactly `gates[k]`."""
    values = np.stack(gates, axis=1)
    zeros = np.zeros((len(values), 1))
    return {
        "x": values,
        "h": zeros,
        **({"c": zeros + c} if cell == "lstm" else {}),
        "weight_ih": np.eye(len(gates)),
        "weight_hh": np.zeros((len(gates), 1)),
        "bias_ih": None,
        "bias_hh": None,
    }


def test_sigmoid_and_tanh_hold_their_relative_precision_over_the_whole_range(
    isa: str, run: Any
) -> None:
    values = np.concatenate([np.linspace(-110, 110, 20_001), np.geomspace(1e-30, 1, 997)])
    values = np.concatenate([values, -values]).astype(np.float32).astype(np.float64)
    zero, shut = np.zeros_like(values), np.full_like(values, -200.0)
    # The forget gate f = sigmoid(value) times c = 1, and i = 0.
    inputs = gates_fed_with("lstm", [shut, values, zero, zero], c=1.0)
    (_, sigmoid), (_, exact) = run("lstm", inputs, np.float32), run("lstm", inputs, np.float64)
    # Below the smallest normal number (and a hair of it) the result stays there.
    smallest = 1.0001 * 2.0**-126
    assert (np.abs(sigmoid - exact) <= 4 * ULP * exact + smallest * (exact < smallest)).all()
    # The candidate n = tanh(value) passes whole where z = 0.
    inputs = gates_fed_with("gru", [zero, shut, values])
    (tanh,), (exact,) = run("gru", inputs, np.float32), run("gru", inputs, np.float64)
    assert (np.abs(tanh - exact) <= 4 * ULP * np.abs(exact)).all()
    assert (np.signbit(tanh) == np.signbit(exact))[values != 0].all()


@pytest.mark.parametrize(
    ("cell", "gate"), [("lstm", k) for k in range(4)] + [("gru", k) for k in range(3)]
)
def test_gates_saturate_cleanly_at_extreme_inputs(isa: str, run: Any, cell: str, gate: int) -> None:
    extremes = np.array([0.0, 1e-30, 17.0, 88.0, 90.0, 104.0, 1e4, 3e38, np.inf])
    extremes = np.concatenate([extremes, -extremes])
    gates = {"lstm": 4, "gru": 3}[cell]
    # Through the bias, one unit for each value: 0 * inf in a product would be NaN.
    hidden = len(extremes)
    bias = np.zeros((gates, hidden))
    bias[gate] = extremes
    inputs = {
        "x": np.zeros((1, 1)),
        "h": np.full((1, hidden), 0.5),
        **({"c": np.full((1, hidden), 0.5)} if cell == "lstm" else {}),
        "weight_ih": np.zeros((gates * hidden, 1)),
        "weight_hh": np.zeros((gates * hidden, hidden)),
        "bias_ih": bias.reshape(-1),
        "bias_hh": None,
    }
    assert_near(run(cell, inputs, np.float32), run(cell, inputs, np.float64), 2 * ULP)
