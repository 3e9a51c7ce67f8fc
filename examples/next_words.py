"""Suggests words, weighs sentences, writes on: python examples/next_words.py [budget] [file]

The file is a text, a folder of them, or a model that was saved before (.unrolled); without one,
Python's own documentation.
"""

from __future__ import annotations

import sys
from pathlib import Path

from unrolled import Generator, load
from unrolled.data import catalog

TYPED = ("the value of the ", "the value of the a", "the value of the att", "raises a Ty")
# They sound alike; which one was said?
ALIKE = ("the right operand", "the write operand")


def main(budget: str = "2m", file: str | None = None) -> None:
    """Learn a text by its words, and ask in three ways what is likely."""
    if file is not None and file.endswith(".unrolled"):
        model = load(file)
        assert isinstance(model, Generator)
    else:
        text = catalog.load("python-docs") if file is None else Path(file)
        model = Generator("words").fit(text, budget=budget)
    print(model.evaluation)
    for typed in TYPED:
        words = model.suggest(typed, n=3)
        print(f"{typed!r} -> {', '.join(f'{word} {chance:.2f}' for word, chance in words)}")
    for sentence, found in zip(ALIKE, model.score(list(ALIKE)), strict=True):
        print(f"{sentence!r}: log-probability {found.log_probability:.1f}")
    for piece in model.stream("The function ", temperature=0.7, top_p=0.95, stop="\n\n", seed=1):
        print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
