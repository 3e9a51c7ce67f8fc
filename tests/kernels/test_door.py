"""unrolled.kernels: what it says of the kernels, and what it hands on to them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from unrolled import kernels
from unrolled.errors import ConfigError

SOURCE = Path(kernels.__file__).parents[1]


def python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`code` in a fresh interpreter with these environment variables."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("UNROLLED_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": str(SOURCE), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ci_has_kernels_wherever_it_has_a_compiler() -> None:
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if not os.environ.get("CI") or not compiler or os.environ.get("UNROLLED_KERNELS") == "off":
        pytest.skip("only where CI runs with a C++ compiler")
    assert kernels.why_not() is None


def test_the_reason_is_there_exactly_where_the_kernels_are_not() -> None:
    assert kernels.available() == (kernels.why_not() is None)
    assert (kernels.isa() is None) == (not kernels.available())
    assert (kernels.compiler() is None) == (not kernels.available())


def test_the_switch_turns_the_kernels_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_KERNELS", "off")
    assert not kernels.available()
    assert "UNROLLED_KERNELS=off" in str(kernels.why_not())
    assert kernels.isa() is None


def test_an_unknown_switch_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_KERNELS", "0")
    with pytest.raises(ConfigError, match="UNROLLED_KERNELS is '0'"):
        kernels.available()


def test_asking_for_the_kernels_imports_no_torch() -> None:
    done = python(
        "import sys; from unrolled import kernels; kernels.available()\n"
        "print('torch' in sys.modules)"
    )
    assert done.stdout == "False\n", done.stderr


def test_without_the_compiled_module_the_reason_names_the_remedy() -> None:
    done = python(
        "import sys; sys.modules['unrolled._kernels'] = None\n"
        "from unrolled import kernels; print(kernels.available(), kernels.why_not())"
    )
    assert done.stdout.startswith("False "), done.stderr
    assert "install" in done.stdout


def test_the_reason_that_the_build_left_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import unrolled

    (tmp_path / "_kernels_missing.txt").write_text("no C++ compiler that works was found.\n")
    monkeypatch.setattr(unrolled, "__path__", [str(tmp_path)])
    monkeypatch.delattr(unrolled, "_kernels", raising=False)
    monkeypatch.delitem(sys.modules, "unrolled._kernels", raising=False)
    monkeypatch.delenv("UNROLLED_KERNELS", raising=False)
    kernels._load.cache_clear()
    try:
        assert kernels.why_not() == "no C++ compiler that works was found."
    finally:
        kernels._load.cache_clear()


@pytest.mark.parametrize("name", ["generic", "avx2", "avx512"])
def test_the_environment_forces_the_instruction_set(native: Any, name: str) -> None:
    if not native.has_isa(name):
        pytest.skip(f"this processor has no {name}")
    done = python("from unrolled import kernels; print(kernels.isa())", UNROLLED_ISA=name)
    assert done.stdout == f"{name}\n", done.stderr


def test_an_unknown_instruction_set_is_an_error_that_names_it(native: Any) -> None:
    done = python("from unrolled import kernels; kernels.available()", UNROLLED_ISA="mmx")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "ConfigError: UNROLLED_ISA is 'mmx'" in last
    assert "generic" in last


@pytest.mark.parametrize("bias", [True, False])
def test_the_door_hands_each_tensor_to_its_place(native: Any, cell: str, bias: bool) -> None:
    rival = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell](5, 9, bias=bias)
    weights = [rival.weight_ih, rival.weight_hh, rival.bias_ih, rival.bias_hh]
    x, h, c = torch.randn(3, 5), torch.randn(3, 9), torch.randn(3, 9)
    h_out, c_out = torch.empty(3, 9), torch.empty(3, 9)
    with torch.no_grad():
        if cell == "lstm":
            kernels.lstm_step(x, h, c, *weights, h_out, c_out)
            expected_h, expected_c = rival(x, (h, c))
            torch.testing.assert_close(c_out, expected_c)
        else:
            kernels.gru_step(x, h, *weights, h_out)
            expected_h = rival(x, h)
    torch.testing.assert_close(h_out, expected_h)
