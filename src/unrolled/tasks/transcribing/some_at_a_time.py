"""Recordings in parts, so that what is made of them need not be in memory all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unrolled.data.recordings import Recording

# Of a part together: its frames take 20 MB at 40 bands.
_SECONDS = 1200.0


def some_at_a_time(
    recordings: Sequence[Recording], seconds: float = _SECONDS
) -> Iterator[list[int]]:
    """The places of recordings, in order, in parts of at most `seconds` together; a longer one is
    a part of its own."""
    part: list[int] = []
    total = 0.0
    for place, one in enumerate(recordings):
        if part and total + one.seconds > seconds:
            yield part
            part, total = [], 0.0
        part.append(place)
        total += one.seconds
    if part:
        yield part
