"""The kernels of attention: the oracle against PyTorch operations, the fast code against it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from .attention_runs import (
    LAYOUTS,
    OUTPUTS,
    SCORES,
    AttentionCall,
    attention_call,
    attention_calls,
    run_backward,
    run_forward,
    run_operations,
)
from .sequence_runs import assert_close

DTYPES = (torch.float32, torch.float64)
# Of large scores a softmax sees the rounding: an error of the score is one of the weight.
TOLERANCE = {torch.float32: 3e-5, torch.float64: 1e-11}
SMALL = attention_calls(dtypes=DTYPES, threads=st.integers(1, 3))
LARGE = attention_calls(
    dtypes=DTYPES,
    threads=st.integers(1, 3),
    sizes=st.integers(1, 100),
    steps=st.integers(1, 40),
)


@settings(max_examples=100)
@given(call=attention_calls())
def test_the_oracle_gives_what_pytorch_operations_give(native: Any, call: AttentionCall) -> None:
    outputs, gradients = run_operations(call)
    forward = run_forward(native, call, oracle=True)
    assert_close(forward, outputs)
    assert_close(run_backward(native, call, oracle=True, a=forward["a"]), gradients)


@settings(max_examples=100)
@given(call=SMALL | LARGE)
def test_the_fast_attention_is_the_oracles(native: Any, isa: str, call: AttentionCall) -> None:
    want = run_forward(native, call, oracle=True)
    tolerance = TOLERANCE[call.dtype]
    assert_close(run_forward(native, call, oracle=False), want, tolerance)
    got = run_backward(native, call, oracle=False, a=want["a"])
    assert_close(got, run_backward(native, call, oracle=True, a=want["a"]), tolerance)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    "shape", [(15, 16, 9, 70), (1, 16, 40, 70), (3, 5, 2, 600), (30, 30, 1, 90)]
)
def test_the_number_of_threads_changes_no_bit(
    native: Any, shape: tuple[int, int, int, int], score: str, layout: str
) -> None:
    steps, sources, batch, width = shape
    results = []
    for threads in (1, 2, 3, 70):
        call = attention_call(
            score,
            steps=steps,
            sources=sources,
            batch=batch,
            width=width,
            memory=width + 3,
            threads=threads,
            lengths=[(17 * b + 5) % (sources + 1) for b in range(batch)],
            layout=layout,
            dtype=torch.float32,
        )
        forward = run_forward(native, call, oracle=False)
        results.append(forward | run_backward(native, call, oracle=False, a=forward["a"]))
    for other in results[1:]:
        for name, value in other.items():
            torch.testing.assert_close(value, results[0][name], rtol=0, atol=0, equal_nan=False)


@pytest.mark.parametrize("score", SCORES)
def test_a_row_alone_gives_the_bits_that_it_gives_in_a_batch(
    native: Any, isa: str, score: str
) -> None:
    sizes: dict[str, Any] = {"steps": 11, "sources": 9, "width": 45, "memory": 37}
    call = attention_call(score, batch=5, lengths=[9, 1, 7, 0, 4], dtype=torch.float32, **sizes)
    want = run_forward(native, call, oracle=False)
    grads = run_backward(native, call, oracle=False, a=want["a"])
    for b in (0, 1, 2, 4):
        assert call.lengths is not None
        alone = attention_call(
            score, batch=1, lengths=call.lengths[b : b + 1], dtype=torch.float32, **sizes
        )
        for name, tensor in call.inputs.items():
            alone.inputs[name] = tensor if name == "v" else tensor[:, b : b + 1]
        got = run_forward(native, alone, oracle=False)
        back = run_backward(native, alone, oracle=False, a=got["a"])
        for name in ("dq", "dk", "dm"):
            torch.testing.assert_close(back[name][:, 0], grads[name][:, b], rtol=0, atol=0)
        for name in ("c", "a"):
            torch.testing.assert_close(got[name][:, 0], want[name][:, b], rtol=0, atol=0)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", ["q", "k", "m", "dc", "da"])
def test_what_is_no_number_stays_in_its_row(
    native: Any, isa: str, name: str, bad: float, score: str
) -> None:
    sizes: dict[str, Any] = {"steps": 6, "sources": 7, "width": 21, "dtype": torch.float32}
    call, spoiled = (attention_call(score, batch=3, **sizes) for _ in range(2))
    spoiled.inputs[name][2, 1, 5] = bad
    want, got = (run_forward(native, c, oracle=False) for c in (call, spoiled))
    plain, other = (
        run_backward(native, c, oracle=False, a=f["a"]) for c, f in ((call, want), (spoiled, got))
    )
    for results, expected in ((got, want), (other, plain)):
        for key in set(results) - {"dv"}:
            for b in (0, 2):
                torch.testing.assert_close(
                    results[key][:, b], expected[key][:, b], rtol=0, atol=0, equal_nan=False
                )
    if math.isnan(bad):
        touched = got["c"] if name in "qkm" else other["dq"]
        assert touched[2 if name in ("q", "dc", "da") else slice(None), 1].isnan().any()


def test_a_query_and_a_key_that_cancel_are_not_taken_for_large_ones(native: Any, isa: str) -> None:
    for dtype, size in ((torch.float32, 50.0), (torch.float64, 400.0)):
        call = attention_call(steps=8, sources=8, width=20, dtype=dtype)
        call.inputs["q"] = call.inputs["q"] * 0.5 + size
        call.inputs["k"] = call.inputs["k"] * 0.5 - size
        for name in ("q", "k"):
            call.inputs[name] = call.inputs[name].float().double()
        want = run_forward(native, call, oracle=True)
        assert_close(run_forward(native, call, oracle=False), want, TOLERANCE[dtype])
        got = run_backward(native, call, oracle=False, a=want["a"])
        expected = run_backward(native, call, oracle=True, a=want["a"])
        assert_close(got, expected, TOLERANCE[dtype])


def test_infinite_queries_saturate(native: Any, isa: str) -> None:
    call = attention_call(steps=8, sources=8, width=20, dtype=torch.float32)
    call.inputs["q"][2, 1, 5] = torch.inf
    call.inputs["k"][3, 2, 5] = -torch.inf
    got, want = (run_forward(native, call, oracle=oracle) for oracle in (False, True))
    assert_close(got, want, TOLERANCE[torch.float32])


def test_a_field_of_a_call_is_its_own_place_and_zero_at_first(native: Any) -> None:
    for name in ("AttentionForward", "AttentionBackward"):
        for precision in ("32", "64"):
            call = getattr(native, name + precision)()
            fields = [n for n in dir(call) if not n.startswith("_") and n != "forward"]
            assert set(OUTPUTS) <= set(fields) or "scale" in fields
            assert all(getattr(call, n) == 0 for n in fields)
            values: dict[str, int] = {n: k for k, n in enumerate(fields, 1)}
            values |= {n: 1 for n in ("score",) if n in values}
            for n, value in values.items():
                setattr(call, n, value)
            assert {n: getattr(call, n) for n in fields} == values
