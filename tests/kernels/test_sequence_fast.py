"""The fast kernels of a layer over time against the oracle: every value and every gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from .sequence_calls import CELLS, Call, calls, every_option, make_call
from .sequence_runs import assert_close, run_backward, run_forward

DTYPES = (torch.float32, torch.float64)
SMALL = calls(dtypes=DTYPES, threads=st.integers(1, 3))
# Wider than any vector, more rows than any tile, more steps than a stretch.
LARGE = calls(
    dtypes=DTYPES,
    threads=st.integers(1, 3),
    sizes=st.integers(1, 150),
    steps=st.integers(1, 40),
    batches=st.integers(1, 30),
)


def tolerance(call: Call) -> float:
    """Of the largest number. Layer normalisation of sums that are nearly alike enlarges what
    rounding did, step by step: there float64 is the test, and float32 over a few steps only."""
    if not call.norm:
        return {torch.float64: 1e-12, torch.float32: 1e-4}[call.dtype]
    assume(call.dtype == torch.float64 or call.steps <= 8)
    return {torch.float64: 1e-8, torch.float32: 2e-2}[call.dtype]


def assert_bits(got: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    for name, value in got.items():
        assert torch.equal(value, expected[name]), name  # fails on NaN


@settings(max_examples=150, deadline=None)
@given(call=SMALL | LARGE)
def test_the_forward_pass_is_the_oracles(native: Any, isa: str, call: Call) -> None:
    allowed = tolerance(call)
    got = run_forward(native, call, oracle=False)
    assert_close(got, run_forward(native, call, oracle=True), allowed)


@settings(max_examples=200, deadline=None)
@given(call=SMALL | LARGE)
def test_the_backward_pass_is_the_oracles(native: Any, isa: str, call: Call) -> None:
    allowed = tolerance(call)
    forward = run_forward(native, call, oracle=True)
    got = run_backward(native, call, oracle=False, forward=forward)
    expected = run_backward(native, call, oracle=True, forward=forward)
    assert_close(got, expected, allowed)


@pytest.mark.parametrize("cell", CELLS)
def test_every_combination_of_options_is_the_oracles(native: Any, isa: str, cell: str) -> None:
    for options in every_option(cell):
        call = make_call(
            **options,
            steps=5,
            batch=7,
            input=9,
            hidden=37,
            starts=True,
            lengths=[5, 0, 3, 5, 1, 2, 4],
        )
        forward = run_forward(native, call, oracle=False)
        assert_close(forward, run_forward(native, call, oracle=True), 1e-12)
        got = run_backward(native, call, oracle=False, forward=forward)
        assert_close(got, run_backward(native, call, oracle=True, forward=forward), 1e-12)


@pytest.mark.parametrize("batch", [1, 2, 9])
@pytest.mark.parametrize("cell", CELLS)
def test_the_number_of_threads_changes_no_bit(native: Any, isa: str, cell: str, batch: int) -> None:
    options = {"cell": cell, "steps": 40, "batch": batch, "input": 30, "hidden": 200}
    results = []
    for threads in (1, 2, 3, 2):
        call = make_call(**options, dtype=torch.float32, threads=threads, starts=True)
        results.append(run_forward(native, call, oracle=False))
        results[-1] |= run_backward(native, call, oracle=False)
    for other in results[1:]:
        assert_bits(other, results[0])


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("cell", CELLS)
def test_nan_and_infinity_stay_in_their_row(native: Any, isa: str, cell: str, bad: float) -> None:
    call = make_call(cell=cell, steps=6, batch=8, input=5, hidden=33, dtype=torch.float32)
    before = run_forward(native, call, oracle=False)["y"]
    call.inputs["x"][2, 3, 1] = bad
    after = run_forward(native, call, oracle=False)["y"]
    others = torch.arange(8) != 3
    assert torch.equal(after[:, others], before[:, others])
    assert torch.equal(after[:2], before[:2])
    if bad != bad:
        assert after[2:, 3].isnan().all()
    gradients = run_backward(native, call, oracle=False)
    assert gradients["dx"][:, others].isfinite().all()
