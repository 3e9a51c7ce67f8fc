"""The kernels of a scan: the oracle against PyTorch operations, the fast code against it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from .scan_runs import (
    FACTORS,
    ScanCall,
    run_backward,
    run_forward,
    run_operations,
    scan_call,
    scan_calls,
)
from .sequence_runs import assert_close

DTYPES = (torch.float32, torch.float64)
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}
SMALL = scan_calls(dtypes=DTYPES, threads=st.integers(1, 3))
LARGE = scan_calls(
    dtypes=DTYPES,
    threads=st.integers(1, 3),
    sizes=st.integers(1, 150),
    steps=st.integers(1, 150),
    batches=st.integers(1, 30),
)


@settings(max_examples=100)
@given(call=scan_calls())
def test_the_oracle_gives_what_pytorch_operations_give(native: Any, call: ScanCall) -> None:
    outputs, gradients = run_operations(call)
    forward = run_forward(native, call, oracle=True)
    assert_close(forward, outputs)
    assert_close(run_backward(native, call, oracle=True, forward=forward), gradients)


@settings(max_examples=60)
@given(call=SMALL | LARGE)
def test_the_fast_scan_is_the_oracles(native: Any, isa: str, call: ScanCall) -> None:
    want = run_forward(native, call, oracle=True)
    tolerance = TOLERANCE[call.plain.dtype]
    assert_close(run_forward(native, call, oracle=False), want, tolerance)
    got = run_backward(native, call, oracle=False, forward=want)
    assert_close(got, run_backward(native, call, oracle=True, forward=want), tolerance)


SHAPES = [(60, 8, 40), (700, 1, 70), (90, 3, 64), (2, 200, 60), (20, 130, 8)]


@pytest.mark.parametrize("layout", ["dense", "batch_first"])
@pytest.mark.parametrize("complex", [False, True])
@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_number_of_threads_changes_no_bit(
    native: Any, shape: tuple[int, int, int], factors: str, complex: bool, layout: str
) -> None:
    steps, batch, hidden = shape
    sizes = {"steps": steps, "batch": batch, "hidden": hidden}
    results = []
    for threads in (1, 2, 3, 5):
        call = scan_call(
            complex=complex,
            factors=factors,
            threads=threads,
            lengths=[1 + (17 * b) % steps for b in range(batch)],
            starts=True,
            layout=layout,
            dtype=torch.float32,
            **sizes,
        )
        forward = run_forward(native, call, oracle=False)
        results.append(forward | run_backward(native, call, oracle=False, forward=forward))
    for other in results[1:]:
        for name, value in other.items():
            torch.testing.assert_close(value, results[0][name], rtol=0, atol=0, equal_nan=False)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("complex", [False, True])
def test_what_is_no_number_stays_in_its_row_and_unit(
    native: Any, isa: str, complex: bool, bad: float
) -> None:
    sizes: dict[str, Any] = {"steps": 7, "batch": 3, "hidden": 21, "seed": 4, "complex": complex}
    call, spoiled = (scan_call(dtype=torch.float32, **sizes) for _ in range(2))
    spoiled.inputs["b"][2, 1, 6] = bad
    spoiled.inputs["dy"][4, 2, 9] = bad
    want, got = (run_forward(native, c, oracle=False) for c in (call, spoiled))
    plain, other = (
        run_backward(native, c, oracle=False, forward=f) for c, f in ((call, want), (spoiled, got))
    )
    units = range(2 if complex else 1)
    touched = torch.zeros(7, 3, call.width).bool()
    touched[2:, 1, [6 + k for k in units]] = True
    torch.testing.assert_close(got["y"][~touched], want["y"][~touched], rtol=0, atol=0)
    touched[2, 1, 7] = False  # the other part of the pair, which is spoiled from the next step on
    assert not got["y"][touched].isfinite().any()
    back = torch.zeros(7, 3, call.width).bool()
    back[:5, 2, [(8 if complex else 9) + k for k in units]] = True
    torch.testing.assert_close(other["db"][~back], plain["db"][~back], rtol=0, atol=0)
    back[4, 2, 8] = False
    assert not other["db"][back].isfinite().any()


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1e15, 1e25])
def test_large_and_small_numbers_keep_their_digits(native: Any, isa: str, size: float) -> None:
    for complex in (False, True):
        call = scan_call(complex=complex, steps=9, hidden=19, dtype=torch.float32)
        for name in ("b", "h0"):
            call.inputs[name] = (call.inputs[name] * size).float().double()
        got, want = (run_forward(native, call, oracle=oracle) for oracle in (False, True))
        assert_close({"y": got["y"].double() / size}, {"y": want["y"] / size}, 2e-5)


def test_a_long_sum_of_the_factors_gradient_keeps_its_digits(native: Any, isa: str) -> None:
    call = scan_call(steps=20_000, batch=1, hidden=3, dtype=torch.float32)
    call.inputs["a"].fill_(0.5)
    for name in ("b", "dy"):
        call.inputs[name] = call.inputs[name].abs()
    forward = run_forward(native, call, oracle=True)
    got, want = (
        run_backward(native, call, oracle=oracle, forward=forward)["da"].double()
        for oracle in (False, True)
    )
    assert ((got - want).abs() <= 2e-6 * want).all()


def test_a_field_of_a_call_is_its_own_place_and_zero_at_first(native: Any) -> None:
    for name in ("ScanForward", "ScanBackward"):
        for precision in ("32", "64"):
            call = getattr(native, name + precision)()
            fields = [n for n in dir(call) if not n.startswith("_") and n != "forward"]
            assert all(getattr(call, n) == 0 for n in fields)
            values: dict[str, int] = {n: k for k, n in enumerate(fields, 1)}
            flags = (("reverse", True), ("complex", True), ("cell", 2), ("factors", 2))
            values |= {n: v for n, v in flags if n in values}
            for n, value in values.items():
                setattr(call, n, value)
            assert {n: getattr(call, n) for n in fields} == values
