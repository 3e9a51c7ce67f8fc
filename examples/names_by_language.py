"""Of which language is a surname: python examples/names_by_language.py [budget] [folder]

The classic first exercise. The folder holds a .txt file for each language with a name a line (a
table with a column of names and one of labels will do too); without one, the catalog's `names`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from unrolled import Classifier
from unrolled.data import catalog

NONE_HERE = (
    "no names are at hand: name a folder with English.txt, Greek.txt and so on, a name a line, or"
    " put names/names.tar.gz in a folder of UNROLLED_DATA"
)


def main(budget: str = "1m", folder: str | None = None) -> None:
    """Learn to tell languages apart by letters, judge, then read two names letter by letter."""
    if folder is None and catalog.find("names") is None:
        raise SystemExit(NONE_HERE)
    names = catalog.load("names") if folder is None else Path(folder)
    model = Classifier(tokenizer="characters").fit(names, budget=budget)
    print(model.evaluation)
    for name in ("Yamashita", "Romanova"):
        state = None
        for letter in name:
            chances, state = model.step(letter, state)
            best = sorted(chances, key=lambda language: -chances[language])[:3]
            print(letter, "  ".join(f"{one} {chances[one]:.2f}" for one in best))


if __name__ == "__main__":
    main(*sys.argv[1:])
