"""What others measured on the same data, and what was measured before there was a `Transcriber`."""

from __future__ import annotations

from typing import Any, NamedTuple


class Published(NamedTuple):
    """A figure beside ours.

    Attributes:
        task: which.
        who: what was trained.
        figure: of the test part, in words.
        took: for how long.
    """

    task: str
    who: str
    figure: str
    took: str


_GRU = "plain torch, GRU 2x64, 40 log-mels, 46,000 parameters"

PUBLISHED = (
    Published("fsdd-speakers", f"{_GRU}, without theo", "accuracy 0.912", "50 s on two cores"),
    Published("fsdd-speakers", f"{_GRU}, without george", "accuracy 0.744", "50 s on two cores"),
    Published("an4", "published, of the sounds: CTC, GRU 5x800", "WER 9.57 %", "-"),
    Published("an4", "published, of the sounds: transformer", "WER 7.4 %", "-"),
)


def shown(task: str) -> dict[str, Any]:
    """The part of a result that shows the figures of a task; nothing where there are none."""
    rows = [list(one[1:]) for one in PUBLISHED if one.task == task]
    return {"shown": {"head": ["beside", "figure", "took"], "rows": rows}} if rows else {}
