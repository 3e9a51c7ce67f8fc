"""Writes src/unrolled/_kernels.pyi from the compiled module; with --check, compares the two."""

from __future__ import annotations

import sys
from pathlib import Path

STUB = Path(__file__).parents[1] / "src" / "unrolled" / "_kernels.pyi"


def generate() -> str:
    """The stub's text, made by nanobind from the module as it is compiled now."""
    from nanobind.stubgen import StubGen

    from unrolled import _kernels

    generator = StubGen(module=_kernels)
    generator.put(_kernels)
    return generator.get()


def main() -> int:
    try:
        text = generate()
    except ImportError as error:
        print(f"stubs: skipped, the native kernels are not built ({error})")
        return 0
    if "--check" not in sys.argv[1:]:
        STUB.write_text(text, encoding="utf-8")
    elif not STUB.exists() or STUB.read_text(encoding="utf-8") != text:
        print("stubs: src/unrolled/_kernels.pyi is not what the bindings say: run `make stubs`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
