"""From scores to answers: which token comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.decoding.sampling import filter_logits, sample, suggest

_HOMES = {"filter_logits": "sampling", "sample": "sampling", "suggest": "sampling"}

__all__ = ["filter_logits", "sample", "suggest"]

__getattr__, __dir__ = door(__name__, _HOMES)
