"""From scores to answers: which token comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.decoding.repetition import penalise_repetition
    from unrolled.decoding.sampling import filter_logits, sample, suggest
    from unrolled.decoding.stopping import StopStrings

_HOMES = {
    "StopStrings": "stopping",
    "filter_logits": "sampling",
    "penalise_repetition": "repetition",
    "sample": "sampling",
    "suggest": "sampling",
}

__all__ = ["StopStrings", "filter_logits", "penalise_repetition", "sample", "suggest"]

__getattr__, __dir__ = door(__name__, _HOMES)
