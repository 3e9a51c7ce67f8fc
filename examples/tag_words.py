"""A tag for every word: python examples/tag_words.py [budget] [file] [sentence]

The file is CoNLL or CoNLL-U (a word and its tag a line, a blank line between sentences), or a model
that was saved before (.unrolled); without one, the catalog's `ud-ewt-train`, parts of speech.
"""

from __future__ import annotations

import sys

from unrolled import Tagger, load
from unrolled.data import catalog

NONE_HERE = (
    "no tagged words are at hand: fetch some with `unrolled data get ud-ewt-train`, or name a"
    " CoNLL-U file"
)


def learn(budget: str, file: str | None) -> Tagger:
    """A tagger: read from its file, or trained."""
    if file is not None and file.endswith(".unrolled"):
        saved = load(file)
        assert isinstance(saved, Tagger)
        return saved
    if file is None and catalog.find("ud-ewt-train") is None:
        raise SystemExit(NONE_HERE)
    return Tagger().fit(catalog.load("ud-ewt-train") if file is None else file, budget=budget)


def main(
    budget: str = "2m",
    file: str | None = None,
    sentence: str = "They can fish, but the can of fish is empty.",
) -> None:
    """Learn, judge beside the rivals, tag a sentence, and say how sure the tags are."""
    model = learn(budget, file)
    print(model.evaluation)
    chances = model.predict_proba(sentence)
    for tagged, sure in zip(model.predict(sentence), chances, strict=True):
        for (word, tag), each in zip(tagged, sure, strict=True):
            print(f"{word:>12}  {tag:6} {each[model.classes.index(tag)]:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
