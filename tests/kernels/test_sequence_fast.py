"""The fast kernels of a layer over time against the oracle: every value and every gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from .sequence_calls import Call, calls
from .sequence_runs import assert_close, run_backward, run_forward

DTYPES = (torch.float32, torch.float64)
# Layer normalisation over very few sums enlarges what rounding did by up to 1 / sqrt(epsilon).
TOLERANCE = {torch.float32: 2e-4, torch.float64: 1e-12}
SMALL = calls(dtypes=DTYPES, threads=st.integers(1, 3))
LARGE = calls(
    dtypes=DTYPES,
    threads=st.integers(1, 3),
    sizes=st.integers(1, 150),
    steps=st.integers(1, 40),
    batches=st.integers(1, 30),
)


@pytest.fixture(scope="module")
def native() -> Any:
    return pytest.importorskip("unrolled._kernels")


@settings(max_examples=400)
@given(call=SMALL | LARGE)
def test_the_forward_pass_is_the_oracles(native: Any, call: Call) -> None:
    got = run_forward(native, call, oracle=False)
    assert_close(got, run_forward(native, call, oracle=True), TOLERANCE[call.dtype])


@settings(max_examples=400)
@given(call=SMALL | LARGE)
def test_the_backward_pass_is_the_oracles(native: Any, call: Call) -> None:
    forward = run_forward(native, call, oracle=True)
    got = run_backward(native, call, oracle=False, forward=forward)
    assert_close(got, run_backward(native, call, oracle=True, forward=forward), TOLERANCE[call.dtype])
