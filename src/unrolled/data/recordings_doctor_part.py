"""`Part`: the recordings of one part of a set, and how the doctor tells a place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrolled.data.recordings import Recordings

TRAINING = "training"
_SHOWN = 5


@dataclass(frozen=True)
class Part:
    """What is learnt, or one of the parts that are held out.

    Attributes:
        name: "training", "validation" or "test".
        recordings: that are in it.
    """

    name: str
    recordings: Recordings

    def __len__(self) -> int:
        return len(self.recordings)

    @property
    def whose(self) -> str:
        """ " of the test"; nothing of the training."""
        return "" if self.name == TRAINING else f" of the {self.name}"

    def place(self, at: int) -> str:
        """Where a recording stands, in words: "line 17 of the test"."""
        return f"{self._called(at)}{self.whose}"

    def told(self, places: Sequence[int]) -> str:
        """The first few: "a.wav, b.wav, c.wav, d.wav, e.wav and 12 more"."""
        told = ", ".join(map(self._called, places[:_SHOWN]))
        more = len(places) - _SHOWN
        return told if more <= 0 else f"{told} and {more:,} more"

    def _called(self, at: int) -> str:
        one = self.recordings.items[at]
        return one.place or (f"recording {at}" if one.path is None else one.path.name)
