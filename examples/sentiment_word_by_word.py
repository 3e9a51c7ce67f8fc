"""An opinion that changes as one reads: python examples/sentiment_word_by_word.py [budget] [file]

The file is a table of texts and labels (.csv, .tsv, .jsonl), or a model that was saved before
(.unrolled); without one, the catalog's `mr`: sentences of film reviews, positive or negative.
"""

from __future__ import annotations

import sys

from unrolled import Classifier, load
from unrolled.data import catalog

NONE_HERE = (
    "no reviews are at hand: fetch them with `unrolled data get mr`, or name a table of texts and"
    " labels"
)
SENTENCES = ("the film is not good", "a slow start , but in the end a moving and funny film")


def judge(budget: str, file: str | None) -> Classifier:
    """A classifier: read from its file, or trained."""
    if file is not None and file.endswith(".unrolled"):
        saved = load(file)
        assert isinstance(saved, Classifier)
        return saved
    if file is None and catalog.find("mr") is None:
        raise SystemExit(NONE_HERE)
    return Classifier().fit(catalog.load("mr") if file is None else file, budget=budget)


def main(budget: str = "1m", file: str | None = None) -> None:
    """Print the answer after every word as a bar, then which words it comes from."""
    model = judge(budget, file)
    print(model.evaluation)
    label = model.labels.names[-1]
    for sentence in SENTENCES:
        print(f"\nprobability of {label!r} after each word")
        for word, chances in model.running(sentence):
            print(f"{word:>10} {'#' * round(40 * chances[label]):40} {chances[label]:.2f}")
        print(model.explain(sentence))


if __name__ == "__main__":
    main(*sys.argv[1:])
