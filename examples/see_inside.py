"""Draws a network unfolded over time: python examples/see_inside.py [budget] [page]

The page is one file that opens from disk: every unit of every layer at every step, and what the
network expected to read next.
"""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime

from unrolled import Generator, trace
from unrolled.data import catalog
from unrolled.lens.page import render_report
from unrolled.lens.records import Report


def main(budget: str = "1m", page: str = "see_inside.html") -> None:
    """Train a small character model, record what it does over some words, draw the record."""
    text = catalog.load("python-docs")
    assert isinstance(text, str)
    model = Generator(hidden_size=64).fit(text[:150_000], budget=budget)
    found = trace(model, "If the argument is omitted, a TypeError exception", steps=19)
    for symbol, nats in zip(found.inputs[1:], found.losses, strict=False):
        print(f"{symbol!r} was read; it cost {nats / math.log(2):.1f} bits")
    report = Report(
        title="Inside a character model",
        subtitle="Nineteen letters, one column each.",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        unfolded=found,
    )
    print(f"open {render_report(report, page)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
