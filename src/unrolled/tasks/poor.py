"""`Poor`: a sentence that was translated badly, and how badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Poor:
    """A sentence that was translated badly.

    Attributes:
        place: its place among those that were measured, from 0.
        source, reference, said: the sentence, what is right, and the translation.
        chrf: of the translation, 0 to 100.
    """

    place: int
    source: str
    reference: str
    said: str
    chrf: float

    def __str__(self) -> str:
        lines = (
            f"{self.place + 1}: chrF {self.chrf:.1f}",
            f"  source     {self.source}",
            f"  reference  {self.reference}",
            f"  said       {self.said}",
        )
        return "\n".join(line.rstrip() for line in lines)


def worst_table(found: Sequence[Poor]) -> str:
    """The worst sentences for a terminal, four lines each."""
    return "\n".join(map(str, found))
