"""From scores to answers: which token comes next."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.decoding.sampling import filter_logits, sample, suggest

_HOMES = {"filter_logits": "sampling", "sample": "sampling", "suggest": "sampling"}

__all__ = ["filter_logits", "sample", "suggest"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
