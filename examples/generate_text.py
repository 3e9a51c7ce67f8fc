"""Learns a text and writes on: python examples/generate_text.py [budget]

`fit` also takes the path of a .txt file, or of a folder of them.
"""

from __future__ import annotations

import sys

from unrolled import Generator
from unrolled.data import catalog


def main(budget: str = "1m") -> None:
    """Learn from Python's own documentation, write a few lines, suggest the next word."""
    text = catalog.load("python-docs")
    assert isinstance(text, str)
    model = Generator(hidden_size=128).fit(text[:150_000], budget=budget)
    print(model.evaluation)
    print(model.generate("The function ", length=300, temperature=0.6, seed=1))
    for word, probability in model.suggest("The functio", n=3):
        print(f"{word!r} is the next word with probability {probability:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
