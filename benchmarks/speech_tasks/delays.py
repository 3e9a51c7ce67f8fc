"""How long after a word has ended its text is there.

Sound comes in chunks, and a chunk's text is there when its last sample is: what the calculation
takes is not counted, see `streams`. Words end where the recordings end that they were joined from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.data.recordings import Recording, Recordings

# Seconds of silence between the words, and before and after them.
PAUSE, ENDS = 0.25, 0.6
JOINING: dict[str, Any] = {"pauses": (PAUSE, PAUSE), "ends": (ENDS, ENDS)}
_PLACE = re.compile(r" at ([0-9.]+) s")


@dataclass(frozen=True)
class Delays:
    """Seconds from the ends of words to their texts.

    Attributes:
        first: until a word was there for the first time.
        stays: until it and all words before it were there, and stayed as they were.
        right, recordings: only those of which all words are right count.
    """

    first: tuple[float, ...]
    stays: tuple[float, ...]
    right: int
    recordings: int

    def row(self) -> dict[str, float]:
        """Of those that stay the median, and what 95% keep within; NaN where nothing is right."""
        first, stays = (1000 * np.array(one or (np.nan,)) for one in (self.first, self.stays))
        return {
            "delay, ms": float(np.median(stays)),
            "delay of 95%, ms": float(np.quantile(stays, 0.95)),
            "first shown, ms": float(np.median(first)),
            "all right, %": 100 * self.right / self.recordings,
        }


def word_ends(one: Recording) -> list[float]:
    """When each word of a recording ends, in seconds, as it was joined with `JOINING`."""
    begins = [float(at) for at in _PLACE.findall(one.place)]
    return [*(at - PAUSE for at in begins[1:]), one.seconds - ENDS]


def delays(model: Any, recordings: Recordings, chunk: float) -> Delays:
    """Of all words, heard in chunks of so many seconds."""
    first: list[float] = []
    stays: list[float] = []
    right = 0
    for one in recordings.items:
        heard = list(texts_heard(model, model.framing.samples(one), chunk))
        words = one.text.split()
        if heard[-1][1] != words:
            continue
        right += 1
        for count, end in enumerate(word_ends(one), 1):
            there = [texts[:count] == words[:count] for _, texts in heard]
            first.append(heard[there.index(True)][0] - end)
            lasting = len(there) - there[::-1].index(False) if False in there else 0
            stays.append(heard[lasting][0] - end)
    return Delays(tuple(first), tuple(stays), right, len(recordings))


def texts_heard(
    model: Any, samples: np.ndarray, chunk: float
) -> Iterable[tuple[float, Sequence[str]]]:
    """After each chunk the seconds that have come, and the words that are there."""
    rate, state = model.framing.rate, model.start()
    size = round(chunk * rate)
    for begin in range(0, len(samples), size):
        some = samples[begin : begin + size]
        partial, state = model.step(some, state, endpoint=None)
        yield (begin + len(some)) / rate, partial.text.split()
