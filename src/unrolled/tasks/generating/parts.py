"""A corpus in parts: to learn from, to choose by, to test on; none is read whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from unrolled.data.corpus import Corpus
from unrolled.errors import DataError

# Less than this can't be split into parts that mean anything.
SHORTEST_TEXT = 500
SHORTEST_PART = 20
# Characters that are scored at most, by kind of token: to choose by, 20 times in a run; to test on.
MOST_TO_CHOOSE_BY = {"characters": 100_000, "words": 400_000, "subwords": 400_000}
MOST_TO_TEST_ON = {"characters": 500_000, "words": 2_000_000, "subwords": 2_000_000}
# From so many documents on, each is in one part only, where every part gets one.
MANY_DOCUMENTS = 40


@dataclass(frozen=True)
class Parts:
    """The parts of a corpus.

    Attributes:
        learn, choose, test: each a corpus; `choose` is None where all that is not tested on is
            learnt.
        held_out: in words, what `test` is.
    """

    learn: Corpus
    choose: Corpus | None
    test: Corpus
    held_out: str


def split(corpus: Corpus, holdout: float, validation: float, kind: str) -> Parts:
    """The last part of a text to test on, the end of what is before it to choose by.

    Args:
        corpus: one or several documents.
        holdout: share of the characters that is tested on.
        validation: share of the others to choose by; 0: none.
        kind: of the tokens.

    Raises:
        DataError: too little text.
    """
    total = corpus.characters
    test_from = round(total * (1 - holdout))
    learn_to = round(test_from * (1 - validation))
    parts = {
        "learn from": learn_to,
        "choose by": test_from - learn_to,
        "test on": total - test_from,
    }
    if not validation:
        del parts["choose by"]
    if total < SHORTEST_TEXT or min(parts.values()) < SHORTEST_PART:
        told = [f"{size} to {what}" for what, size in parts.items()]
        raise DataError(
            f"got {total:,} characters, which makes parts of {', '.join(told)}; expected at least"
            f" {SHORTEST_TEXT}, and {SHORTEST_PART} in each part: give more text or another"
            " holdout or validation",
            file=corpus.file,
        )
    edges = (0, learn_to, test_from, total) if validation else (0, test_from, total)
    whole = corpus.documents >= MANY_DOCUMENTS and all(
        np.histogram(corpus.begins, np.array(edges) - 0.5)[0]
    )
    most = min(total - test_from, MOST_TO_TEST_ON[kind])
    sample = "" if most == total - test_from else f"the first {most:,} characters of "

    def part(begin: int, end: int, to: str, most: int | None = None) -> Corpus:
        name = f"the part of {corpus.name} to {to}"
        return part_of(corpus, begin, end, whole_documents=whole, most=most, name=name)

    return Parts(
        part(0, learn_to, "learn from"),
        part(learn_to, test_from, "choose by", MOST_TO_CHOOSE_BY[kind]) if validation else None,
        part(test_from, total, "test on", most),
        f"{sample}the last {holdout:.0%} of {corpus.name}",
    )


def part_of(
    corpus: Corpus,
    begin: int,
    end: int,
    *,
    whole_documents: bool,
    most: int | None = None,
    name: str = "the part",
) -> Corpus:
    """The characters from `begin` to `end` of a corpus, counted as `Corpus.characters` does.

    Args:
        corpus: what to take from, in a stream.
        begin, end: places.
        whole_documents: take the documents that begin there, each whole.
        most: characters that are taken at most; the last document may be cut for that.
        name: in words, what is taken.
    """

    def documents() -> Iterator[Iterable[str]]:
        numbered = _clipped(corpus, begin, end, whole_documents)
        numbered = numbered if most is None else _first(numbered, most)
        return ((piece for _, piece in pieces) for _, pieces in groupby(numbered, lambda x: x[0]))

    return Corpus(documents, name=name)


def _clipped(corpus: Corpus, begin: int, end: int, whole: bool) -> Iterator[tuple[int, str]]:
    """The pieces of the part, each with the number of its document."""
    place, number, inside = 0, -1, False
    for begins, piece in corpus.stream():
        if begins:
            number += 1
            place += number > 0  # the line break between documents
            inside = begin <= place < end
        if place >= end and (begins or not whole):
            return
        clipped = piece if whole else piece[max(0, begin - place) : end - place]
        if clipped and (inside or not whole):
            yield number, clipped
        place += len(piece)


def _first(numbered: Iterator[tuple[int, str]], characters: int) -> Iterator[tuple[int, str]]:
    for number, piece in numbered:
        yield number, piece[:characters]
        characters -= len(piece)
        if characters <= 0:
            return
