"""The kernels of minGRU and minLSTM: the oracle against the cells, the fast code against both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from .minimal_runs import (
    minimal_call,
    minimal_calls,
    run_backward,
    run_cells,
    run_forward,
)
from .sequence_calls import Call
from .sequence_runs import assert_close

CELLS = ("gru", "lstm")
DTYPES = (torch.float32, torch.float64)
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}
SMALL = minimal_calls(dtypes=DTYPES, threads=st.integers(1, 3))
LARGE = minimal_calls(
    dtypes=DTYPES,
    threads=st.integers(1, 3),
    sizes=st.integers(1, 150),
    steps=st.integers(1, 60),
    batches=st.integers(1, 30),
)


def unmarked(kept: Tensor, call: Call) -> Tensor:
    """What was kept, without the marks, which flip where a sum is 0 but for rounding."""
    plain = kept.clone()
    plain[:, -call.hidden :] = plain[:, -call.hidden :].abs()
    return plain


@settings(max_examples=100)
@given(call=minimal_calls())
def test_the_oracle_gives_what_the_cells_give(native: Any, call: Call) -> None:
    outputs, gradients = run_cells(call)
    forward = run_forward(native, call, oracle=True)
    assert_close({name: forward[name] for name in outputs}, outputs)
    got = run_backward(native, call, oracle=True, forward=forward)
    assert_close({name: got[name] for name in call.wanted if name != "dh"}, gradients)


@pytest.mark.parametrize("cell", CELLS)
def test_dh_is_what_comes_in_and_what_the_rest_sends_back(native: Any, cell: str) -> None:
    call = minimal_call(cell, seed=3, steps=5, batch=2)
    forward = run_forward(native, call, oracle=True)
    dh = run_backward(native, call, oracle=True, forward=forward)["dh"].view(5, 2, -1)
    for t in range(4):
        later = {name: call.inputs[name][t + 1 :] for name in ("x", "dy")}
        rest = replace(
            call, steps=4 - t, inputs=call.inputs | later | {"h0": forward["y"][t].clone()}
        )
        sent = run_backward(native, rest, oracle=True)["dh0"]
        torch.testing.assert_close(dh[t], call.inputs["dy"][t] + sent)


@settings(max_examples=60)
@given(call=SMALL | LARGE)
def test_the_fast_forward_is_the_oracles(native: Any, isa: str, call: Call) -> None:
    got = run_forward(native, call, oracle=False)
    want = run_forward(native, call, oracle=True)
    got["kept"], want["kept"] = unmarked(got["kept"], call), unmarked(want["kept"], call)
    assert_close(got, want, TOLERANCE[call.dtype])


@settings(max_examples=60)
@given(call=SMALL | LARGE)
def test_the_fast_backward_is_the_oracles(native: Any, isa: str, call: Call) -> None:
    forward = run_forward(native, call, oracle=True)
    got = run_backward(native, call, oracle=False, forward=forward)
    assert_close(
        got, run_backward(native, call, oracle=True, forward=forward), TOLERANCE[call.dtype]
    )


SHAPES = [(60, 8, 40, 60), (400, 1, 40, 70), (90, 3, 64, 40), (2, 200, 60, 50), (30, 7, 1, 1500)]


@pytest.mark.parametrize("layout", ["dense", "batch_first"])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", CELLS)
def test_the_number_of_threads_changes_no_bit(
    native: Any, cell: str, shape: tuple[int, int, int, int], ragged: bool, layout: str
) -> None:
    steps, batch, size, hidden = shape
    lengths = [1 + (17 * b) % steps for b in range(batch)] if ragged else None
    sizes = {"steps": steps, "batch": batch, "input": size, "hidden": hidden}
    results = []
    for threads in (1, 2, 3, 16):
        call = minimal_call(
            cell,
            threads=threads,
            lengths=lengths,
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


@settings(max_examples=20)
@given(call=SMALL)
def test_a_call_that_keeps_nothing_gives_the_same_bits(native: Any, call: Call) -> None:
    kept = run_forward(native, call, oracle=False)
    for name, value in run_forward(native, call, oracle=False, keep=False).items():
        torch.testing.assert_close(value, kept[name], rtol=0, atol=0)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_no_number_stays_in_its_row(native: Any, isa: str, cell: str, bad: float) -> None:
    sizes: dict[str, Any] = {"steps": 7, "batch": 3, "input": 5, "hidden": 21, "seed": 4}
    call = minimal_call(cell, dtype=torch.float32, **sizes)
    spoiled = minimal_call(cell, dtype=torch.float32, **sizes)
    spoiled.inputs["x"][2, 1] = bad
    want = run_forward(native, call, oracle=False)
    got = run_forward(native, spoiled, oracle=False)
    plain, other = (
        run_backward(native, c, oracle=False, forward=f) for c, f in ((call, want), (spoiled, got))
    )
    for name in ("y", "dx"):
        value, expected = (got | other)[name], (want | plain)[name]
        torch.testing.assert_close(value[:, [0, 2]], expected[:, [0, 2]], rtol=0, atol=0)
    torch.testing.assert_close(got["y"][:2, 1], want["y"][:2, 1], rtol=0, atol=0)
    if bad != bad:
        assert got["y"][2:, 1].isnan().all()
        assert other["dx"][:3, 1].isnan().all()


TAILS = [0.0, 0.5, -0.5, 5.0, -5.0, 20.0, -20.0, 60.0, -60.0, -80.0, 300.0, -300.0, 2e6, -2e6]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELLS)
def test_the_shares_keep_their_digits_far_out(
    native: Any, isa: str, cell: str, dtype: torch.dtype
) -> None:
    """One step from zeros with the candidate's sum 0: dh0 is the old share, d_bias's last part is
    the new one."""
    if cell == "gru":
        gates = torch.tensor(TAILS).double()[None]
    else:
        first, second = torch.tensor(TAILS).double(), torch.tensor(TAILS).double() + 1.75
        gates = torch.stack(torch.meshgrid(first, second, indexing="ij")).flatten(1)
    units = gates.shape[1]
    call = minimal_call(cell, steps=1, batch=1, input=1, hidden=units, dtype=dtype, absent=["dy"])
    call.inputs["weight"].zero_()
    call.inputs["bias"][:] = torch.cat([gates.flatten(), torch.zeros(units)])
    call.inputs["dhn"].fill_(1.0)
    call.inputs["h0"].fill_(0.25)
    got = run_backward(native, call, oracle=False)
    _, want = run_cells(call)
    floor = 1e-37 if dtype == torch.float32 else 1e-303
    for name in ("dh0", "d_bias"):
        value, expected = (found[name].double().flatten()[-units:] for found in (got, want))
        allowed = floor + expected.abs() * (3e-6 if dtype == torch.float32 else 1e-12)
        assert ((value - expected).abs() <= allowed).all(), name


def test_a_field_of_a_call_is_its_own_place_and_zero_at_first(native: Any) -> None:
    for name in ("MinimalForward", "MinimalBackward"):
        for precision in ("32", "64"):
            call = getattr(native, name + precision)()
            fields = [n for n in dir(call) if not n.startswith("_") and n != "forward"]
            assert all(getattr(call, n) == 0 for n in fields)
            values: dict[str, int] = {n: k for k, n in enumerate(fields, 1)}
            values |= {n: v for n, v in (("reverse", True), ("cell", 2)) if n in values}
            for n, value in values.items():
                setattr(call, n, value)
            assert {n: getattr(call, n) for n in fields} == values
