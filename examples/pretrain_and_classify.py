"""From texts without labels to labels: python examples/pretrain_and_classify.py [budget] [file]

A language model first learns how such texts go on, which needs no labels; a classifier then starts
from what it learnt. The file is a table of texts and labels; without one, the catalog's `mr`.
"""

from __future__ import annotations

import sys

import numpy as np

from unrolled import Classifier, Generator
from unrolled.data import catalog, read_labelled

NONE_HERE = (
    "no reviews are at hand: fetch them with `unrolled data get mr`, or name a table of texts and"
    " labels"
)


def main(budget: str = "2m", file: str | None = None) -> None:
    """The budget is for each of the two; the table shows the parts alone, and the rivals."""
    if file is None and catalog.find("mr") is None:
        raise SystemExit(NONE_HERE)
    given = catalog.load("mr") if file is None else read_labelled(file)
    assert given.labels is not None
    order = np.random.default_rng(0).permutation(len(given))
    parts = np.split(order, [len(order) // 10])
    test, learnt = (([given.texts[i] for i in p], [given.labels[i] for i in p]) for p in parts)

    # What is tested on stays apart from the language model too.
    reader = Generator(tokenizer="words", lower=True, hidden_size=128, layers=1)
    reader.fit(learnt[0], budget=budget)
    print(reader.evaluation)
    model = Classifier(pretrained=reader).fit(learnt, test=test, budget=budget)
    print(model.evaluation)


if __name__ == "__main__":
    main(*sys.argv[1:])
