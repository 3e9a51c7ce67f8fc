"""An opinion that changes as one reads: python examples/sentiment_word_by_word.py [budget] [file]

The file is a table of texts and labels (.csv, .tsv, .jsonl), or a model that was saved before
(.unrolled); without one, the catalog's `mr`: sentences of film reviews, positive or negative. A
third argument draws what the network answers after each word of sentences with "not" (.png, .svg).
"""

from __future__ import annotations

import sys

from unrolled import Classifier, load, trace
from unrolled.data import catalog
from unrolled.lens import draw_answers
from unrolled.lens.picture import check_picture

NONE_HERE = (
    "no reviews are at hand: fetch them with `unrolled data get mr`, or name a table of texts and"
    " labels"
)
# Drawn: the same word after "is" and after "is not", a turn, and a double negation.
NOT = (
    "The film is good",
    "The film is not good",
    "This film is not good, it is great!",
    "This is not a bad film.",
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


def main(budget: str = "1m", file: str | None = None, picture: str | None = None) -> None:
    """Print the answer after every word as a bar, then which words it comes from."""
    if picture is not None:
        check_picture(picture)
    model = judge(budget, file)
    print(model.evaluation)
    label = model.labels.names[-1]
    for sentence in SENTENCES:
        print(f"\nprobability of {label!r} after each word")
        for word, chances in model.running(sentence):
            print(f"{word:>10} {'#' * round(40 * chances[label]):40} {chances[label]:.2f}")
        print(model.explain(sentence))
    if picture is not None:
        drawn = draw_answers([trace(model, sentence) for sentence in NOT], picture)
        print(f"drew {drawn}")


if __name__ == "__main__":
    main(*sys.argv[1:])
