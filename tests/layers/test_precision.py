"""Products of float32 on a GPU are made in float32 where numbers are compared."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from unrolled.layers.precision import full_precision

OWNERS: list[Any] = [
    torch.backends.cuda.matmul,
    getattr(torch.backends.cudnn, "conv", None),
    getattr(torch.backends.cudnn, "rnn", None),
]


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def settings() -> list[str]:
    return [owner.fp32_precision for owner in OWNERS]


@pytest.mark.skipif(not all(OWNERS), reason="this torch has no fp32_precision")
@pytest.mark.usefixtures("with_gpu")
@pytest.mark.parametrize("asked", ["highest", "high"])
def test_inside_it_is_float32_and_afterwards_as_before(asked: str) -> None:
    was = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(asked)
    try:
        before = settings()
        with full_precision():
            assert settings() == ["ieee"] * 3
        assert settings() == before
        assert torch.get_float32_matmul_precision() == asked
        assert torch.backends.cudnn.allow_tf32 is (before[2] == "tf32")
    finally:
        torch.set_float32_matmul_precision(was)


@pytest.mark.usefixtures("with_gpu")
def test_a_torch_before_the_names_of_today_has_them_by_those_of_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Old:
        allow_tf32 = True

    matmul, cudnn = Old(), Old()
    monkeypatch.setattr(torch.backends.cuda, "matmul", matmul)
    monkeypatch.setattr(torch.backends, "cudnn", cudnn)
    with full_precision():
        assert (matmul.allow_tf32, cudnn.allow_tf32) == (False, False)
    assert (matmul.allow_tf32, cudnn.allow_tf32) == (True, True)


def test_without_a_gpu_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    before = settings() if all(OWNERS) else []
    with full_precision():
        assert not all(OWNERS) or settings() == before
