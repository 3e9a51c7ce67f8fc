"""What the hardware can do, asked of torch in words that it may not know."""

from __future__ import annotations

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.training.devices import check_device, repeatable, supports_bfloat16


@pytest.mark.parametrize("there", [True, False])
def test_bfloat16_of_the_processor_and_of_the_gpu_are_asked_apart(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def of_gpu(including_emulation: bool = True) -> bool:
        asked.append(including_emulation)
        return not there

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", of_gpu)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: there, raising=False)
    assert supports_bfloat16("cpu") is there
    assert supports_bfloat16("cuda") is supports_bfloat16("auto") is not there
    assert asked == [False, False]  # what is emulated is no quicker
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert supports_bfloat16("auto") is there


def test_a_torch_that_does_not_tell_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert supports_bfloat16("cpu") is False


def test_only_known_precisions_pass() -> None:
    check_device("cpu", "auto", ("fp32", "auto"))
    for known in ((), ("fp32",)):
        with pytest.raises(ConfigError, match="precision: got 'auto', expected one of"):
            check_device("cpu", "auto", *([known] if known else []))


@pytest.mark.parametrize("before", [True, False])
def test_a_training_is_repeatable_and_leaves_the_setting_as_it_was(
    before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", before)
    with pytest.raises(ValueError, match="ended"), repeatable():  # noqa: PT012
        assert torch.backends.cudnn.deterministic is True
        raise ValueError("ended")
    assert torch.backends.cudnn.deterministic is before
