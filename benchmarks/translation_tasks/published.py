"""What others measured on the same data, and what was measured before there was a `Translator`."""

from __future__ import annotations

from typing import Any, NamedTuple


class Published(NamedTuple):
    """A figure beside ours.

    Attributes:
        task: which.
        who: what was trained.
        bleu: sacreBLEU of the test part, 13a, mixed case.
        took: for how long.
    """

    task: str
    who: str
    bleu: float
    took: str


_TORCH = "plain torch, GRU 2x256 and 512, additive attention, 8,000 subwords, 7.7M, greedy"

PUBLISHED = (
    Published("multi30k-de-en", "published, words", 28.3, "10 passes"),
    Published("multi30k-de-en", "published, subwords", 33.5, "-"),
    *(
        Published("multi30k-de-en", _TORCH, score, f"{seconds} s on two cores")
        for score, seconds in ((13.2, 158), (25.4, 315), (30.0, 473))
    ),
    Published("multi30k-de-en", _TORCH, 30.6, "630 s on two cores, 2.65 passes"),
)


def shown(task: str) -> dict[str, Any]:
    """The part of a result that shows the figures of a task; nothing where there are none."""
    rows = [[one.who, f"{one.bleu:g}", one.took] for one in PUBLISHED if one.task == task]
    head = ["beside", "BLEU on the test part", "took"]
    return {"shown": {"head": head, "rows": rows}} if rows else {}
