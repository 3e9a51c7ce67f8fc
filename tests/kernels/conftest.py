"""The kernels' steps on numpy arrays, for the fast code and for its oracle alike."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

GATES = {"lstm": 4, "gru": 3}


@pytest.fixture(scope="session")
def native() -> Any:
    """The compiled module; the test is skipped, by name, where it was not built.

    UNROLLED_TEST_KERNELS names another build of it, such as the one of `make sanitize`.
    """
    if other := os.environ.get("UNROLLED_TEST_KERNELS"):
        spec = importlib.util.spec_from_file_location("unrolled._kernels", other)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    return pytest.importorskip("unrolled._kernels", reason="the native kernels are not built")


@pytest.fixture(params=["generic", "avx2", "avx512"], scope="module")
def isa(request: pytest.FixtureRequest, native: Any) -> Iterator[str]:
    """Each instruction set in turn."""
    before = native.isa()
    if not native.has_isa(request.param):
        pytest.skip(f"this processor has no {request.param}")
    native.use_isa(request.param)
    yield request.param
    native.use_isa(before)


@pytest.fixture(params=["lstm", "gru"])
def cell(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def draw() -> Any:
    """`draw(cell, B, I, H, seed, bias_ih=True, bias_hh=True, scale=1.0)`: inputs of a step.

    The numbers are float64 that float32 holds exactly: both precisions start from the same.
    """

    def make(
        cell: str,
        batch: int,
        size: int,
        hidden: int,
        seed: int,
        *,
        bias_ih: bool = True,
        bias_hh: bool = True,
        scale: float = 1.0,
    ) -> dict[str, np.ndarray | None]:
        random = np.random.default_rng(seed)

        def numbers(*shape: int) -> np.ndarray:
            return (scale * random.standard_normal(shape)).astype(np.float32).astype(np.float64)

        rows = GATES[cell] * hidden
        states = {"h": numbers(batch, hidden)}
        if cell == "lstm":
            states["c"] = numbers(batch, hidden)
        return {
            "x": numbers(batch, size),
            **states,
            "weight_ih": numbers(rows, size) / np.float64(16),
            "weight_hh": numbers(rows, hidden) / np.float64(16),
            "bias_ih": numbers(rows) if bias_ih else None,
            "bias_hh": numbers(rows) if bias_hh else None,
        }

    return make


@pytest.fixture(scope="session")
def run(native: Any) -> Any:
    """`run(cell, inputs, dtype) -> [h', c'] or [h']`: the fast code on float32, else the oracle."""

    def step(cell: str, inputs: dict[str, np.ndarray | None], dtype: type) -> list[np.ndarray]:
        arrays = {
            name: None if array is None else np.ascontiguousarray(array, dtype)
            for name, array in inputs.items()
        }
        batch, size = arrays["x"].shape
        hidden = arrays["h"].shape[1]
        # A frame of sevens around each output shows a write out of bounds.
        frames = [np.full(batch * hidden + 16, 7.0, dtype) for name in ("h", "c") if name in arrays]
        outs = [frame[8:-8] for frame in frames]
        function = getattr(native, f"{cell}_step" if dtype is np.float32 else f"oracle_{cell}_step")
        addresses = [0 if array is None else array.ctypes.data for array in arrays.values()]
        function(batch, size, hidden, *addresses, *(out.ctypes.data for out in outs))
        for frame in frames:
            assert (frame[:8] == 7.0).all()
            assert (frame[-8:] == 7.0).all()
        return [out.reshape(batch, hidden) for out in outs]

    return step
