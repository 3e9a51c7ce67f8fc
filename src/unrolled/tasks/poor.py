"""What an evaluation lists as done worst: a sentence translated badly, a recording heard wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Poor:
    """A sentence that was translated badly.

    Attributes:
        place: its place among those that were measured, from 0.
        source, reference, said: the sentence, what is right, and the translation.
        chrf: of the translation, 0 to 100.
    """

    by: ClassVar[str] = "chrF"

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


@dataclass(frozen=True)
class Misheard:
    """A recording that was heard wrong.

    Attributes:
        place: its place among those that were measured, from 0.
        recording: what it is called, such as its file; "" where it has no name.
        reference, heard: what is said, and what was answered.
        wrong: words heard as others, not heard, or heard though not said; 1 of a label.
        words: of the reference; 1 of a label.
        confidence: of the answer, from 0 to 1; NaN where it is not known.
        labelled: whether the two are labels of the whole.
    """

    by: ClassVar[str] = "wrong words"

    place: int
    recording: str
    reference: str
    heard: str
    wrong: int
    words: int
    confidence: float = math.nan
    labelled: bool = False

    def __str__(self) -> str:
        """The two above each other, word by word; the texts as they are of a label."""
        told = [self.recording] if self.recording else []
        if not self.labelled:
            told.append(f"{self.wrong:,} wrong of {self.words:,} word{'s' * (self.words != 1)}")
        if not math.isnan(self.confidence):
            told.append(f"confidence {self.confidence:.2f}")
        lines = [f"  {line}".rstrip() for line in self._lines()]
        return "\n".join([f"{self.place + 1}: {', '.join(told)}".rstrip(": "), *lines])

    def _lines(self) -> list[str]:
        names = ("reference", "heard")
        if self.labelled:
            return [f"reference  {self.reference}", f"heard      {self.heard}"]
        from unrolled.training.speech_alignment import align

        return align([self.heard], [self.reference])[1][0].lines(names)


def poor_from(raw: Mapping[str, Any]) -> Poor | Misheard:
    """The one that `dataclasses.asdict` made plain; JSON has no NaN, and says null."""
    known: dict[str, Any] = {name: math.nan if one is None else one for name, one in raw.items()}
    return Poor(**known) if "chrf" in known else Misheard(**known)


def worst_table(found: Sequence[Poor | Misheard]) -> str:
    """The worst for a terminal, a few lines each."""
    return "\n".join(map(str, found))
