"""`WordForms`: the numbers that stand for a word as it is written.

    walked -> the word itself (in lower case), its shape "xx", its ends "<w", "<wa", ... "ed>",
              and its characters

A word that was not seen in training has no number of its own, but it has ends, a shape and
characters; they say much of what it is.

Shapes: `U` words, `F` numbers of a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

# Ends of one to so many characters are read at either side of a word.
ENDS = 4
# Of a longer word the middle is left out, so that an address costs no more than a name.
CHARACTERS = 20
# What is rarer has no number of its own: words, and parts of different words.
_OFTEN = 2
# Of a large text the most frequent ones, so that the tables stay small; what is left out is read by
# its letters.
_MOST = 50_000
_SHAPE = 8

# Columns: the number of the form, the word, the shape, then the ends.
FORM, WORD, SHAPE, FIRST_END = 0, 1, 2, 3
LENGTH = FIRST_END + 2 * ENDS
FIRST_CHARACTER = LENGTH + 1
WIDTH = FIRST_CHARACTER + CHARACTERS + 2

# Numbers of characters: padding, one that is not known, and the edge of a word.
_UNKNOWN, _EDGE, _FIRST = 1, 2, 3


class WordForms:
    """Numbers of words, shapes, ends and characters; 0 is "not known", of ends "none" as well.

    Args:
        words: in lower case; the first has number 1.
        counts: how often each was seen in training; 0 for one that is known from elsewhere.
        shapes, ends: likewise numbered from 1.
        characters: numbered from 3.
    """

    def __init__(
        self,
        words: Sequence[str],
        counts: Sequence[int],
        shapes: Sequence[str],
        ends: Sequence[str],
        characters: Sequence[str],
    ) -> None:
        self.words, self.counts = tuple(words), tuple(counts)
        self.shapes, self.ends, self.characters = tuple(shapes), tuple(ends), tuple(characters)
        self._words = {word: place for place, word in enumerate(self.words, 1)}
        self._shapes = {shape: place for place, shape in enumerate(self.shapes, 1)}
        self._ends = {end: place for place, end in enumerate(self.ends, 1)}
        self._characters = {one: place for place, one in enumerate(self.characters, _FIRST)}

    @classmethod
    def learn(cls, sentences: Iterable[Sequence[str]], lent: Sequence[str] = ()) -> Self:
        """The forms of a training text: what occurs twice (of ends: in two words).

        Args:
            sentences: the words of each.
            lent: words in lower case that have a number however rarely they occur, where there is
                room; the first of them first.
        """
        seen = Counter(word for sentence in sentences for word in sentence)
        words: Counter[str] = Counter()
        for word, count in seen.items():
            words[word.lower()] += count
        known = _often(words)
        there = set(known)
        more = [word for word in lent if word not in there]
        known = sorted([*known, *more[: _MOST - len(known)]])
        characters = _often(Counter(one for word in seen for one in word))
        ends = Counter(end for word in {word.lower() for word in seen} for end in ends_of(word))
        shapes = Counter(map(shape_of, seen))
        return cls(known, [words[word] for word in known], _often(shapes), _often(ends), characters)

    def knows(self, word: str) -> bool:
        """Whether a word has a number of its own."""
        return word.lower() in self._words

    def learnt(self, word: str) -> bool:
        """Whether a word was seen twice in training; some that were not have a number too."""
        place = self._words.get(word.lower())
        return place is not None and self.counts[place - 1] >= _OFTEN

    def rows(self, words: Sequence[str]) -> np.ndarray:
        """`(U, F)` int64: the numbers of each word, the first of them counting from 1."""
        table = np.zeros((len(words), WIDTH), dtype=np.int64)
        for place, word in enumerate(words):
            row = table[place]
            lower = word.lower()
            row[FORM] = place + 1
            row[WORD] = self._words.get(lower, 0)
            row[SHAPE] = self._shapes.get(shape_of(word), 0)
            ends = [self._ends.get(end, 0) for end in ends_of(lower)]
            row[FIRST_END : FIRST_END + len(ends)] = ends
            read = [self._characters.get(one, _UNKNOWN) for one in shortened(word)]
            row[LENGTH] = len(read) + 2
            row[FIRST_CHARACTER : FIRST_CHARACTER + len(read) + 2] = [_EDGE, *read, _EDGE]
        return table

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """How many numbers there are: of words, shapes, ends and characters."""
        return (
            len(self.words) + 1,
            len(self.shapes) + 1,
            len(self.ends) + 1,
            len(self.characters) + _FIRST,
        )

    def to_assets(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return {
            "words": list(self.words),
            "counts": list(self.counts),
            "shapes": list(self.shapes),
            "ends": list(self.ends),
            "characters": list(self.characters),
        }

    @classmethod
    def from_assets(cls, assets: dict[str, Any]) -> Self:
        """The inverse of `to_assets`.

        Raises:
            ValueError: these are no forms.
        """
        names = ("words", "shapes", "ends", "characters")
        if not all(isinstance(one, str) for name in names for one in assets[name]):
            raise ValueError("forms of words that are no text")
        if len(assets["words"]) != len(assets["counts"]):
            raise ValueError("as many counts as words were expected")
        return cls(**{name: assets[name] for name in (*names, "counts")})


def ends_of(word: str) -> list[str]:
    """Its first and its last one to four characters; those that the word is long enough for."""
    ends = []
    for count in range(1, ENDS + 1):
        if len(word) >= count:
            ends += [f"<{word[:count]}", f"{word[-count:]}>"]
    return ends


def shape_of(word: str) -> str:
    """Upper case as X, lower case as x, digits as d, no more than two alike in a row."""
    drawn: list[str] = []
    for one in word:
        kind = "X" if one.isupper() else "x" if one.islower() else "d" if one.isdigit() else one
        if drawn[-2:] != [kind, kind]:
            drawn.append(kind)
        if len(drawn) == _SHAPE:
            break
    return "".join(drawn)


def shortened(word: str) -> str:
    """The word, a long one without its middle."""
    half = CHARACTERS // 2
    return word if len(word) <= CHARACTERS else word[:half] + word[-half:]


def _often(counts: Counter[str]) -> list[str]:
    """The most frequent of what occurs often enough, in the order of their names."""
    often = [one for one, count in counts.items() if count >= _OFTEN]
    return sorted(sorted(often, key=lambda one: (-counts[one], one))[:_MOST])
