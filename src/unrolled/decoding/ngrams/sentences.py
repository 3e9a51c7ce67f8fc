"""From text to the sentences of an n-gram model: a line is a sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from unrolled.data.arpa import HEAD, conversion
from unrolled.data.corpus import Corpus
from unrolled.data.normalising import Normalise, normalised
from unrolled.decoding.ngrams.trie import Integers
from unrolled.decoding.ngrams.vocabulary import MARKS, Vocabulary
from unrolled.errors import ConfigError, DataError

Unit = Literal["words", "characters"]
# How a space is written as a token: an ARPA file can't have one.
SPACE = "<space>"


@dataclass(frozen=True)
class Cutter:
    """How a line becomes tokens.

    Attributes:
        unit: "words" or "characters"; a space between words is the character `<space>`.
        normalise: "plain" makes letters small and drops marks but apostrophes inside words; "none"
            takes words as they stand between spaces. See `unrolled.data.normalising`.
    """

    unit: Unit
    normalise: Normalise

    def __post_init__(self) -> None:
        for name, known in (("unit", Unit), ("normalise", Normalise)):
            if getattr(self, name) not in get_args(known):
                choices = " or ".join(map(repr, get_args(known)))
                raise ConfigError(f"{name} is {getattr(self, name)!r}; choose {choices}")

    def cut(self, line: str) -> list[str]:
        """The tokens of a line; none of an empty one."""
        text = normalised(line, self.normalise)
        if self.unit == "characters":
            return [SPACE if letter == " " else letter for letter in text]
        return text.split()


@dataclass(frozen=True)
class Sentences:
    """The tokens of sentences, none of them empty, one sentence after the other.

    Attributes:
        pieces: the different tokens.
        places: `(T,)` each token as its place in `pieces`.
        lengths: `(S,)` tokens of each sentence.
    """

    pieces: tuple[str, ...]
    places: Integers
    lengths: Integers

    @classmethod
    def read(cls, corpus: Corpus, cutter: Cutter) -> Sentences:
        """The lines of a corpus that are not empty.

        Raises:
            DataError: no words at all, or one that is a mark of the model, `<s>` or `</s>`; an ARPA
                file, which is a model and no text.
        """
        found: defaultdict[str, int] = defaultdict(lambda: len(found))
        places: list[np.ndarray] = []
        lengths: list[int] = []
        for number, line in enumerate(_lines(corpus), start=1):
            if not lengths and line.strip() == HEAD:
                raise _no_text(corpus, number)
            tokens = cutter.cut(line)
            if not tokens:
                continue
            lengths.append(len(tokens))
            places.append(np.array([found[token] for token in tokens], dtype=np.int32))
            if len(found) and not found.keys().isdisjoint(MARKS[1:]):
                raise DataError(
                    f"sentence {number} has the word {MARKS[1]} or {MARKS[2]}, which marks where"
                    " sentences begin and end: each line is one already, so leave the marks out"
                )
        if not lengths:
            raise DataError(
                f"no {cutter.unit} are left of the text (normalise={cutter.normalise!r}): give a"
                " text with words, a sentence a line"
            )
        return cls(
            tuple(found), np.concatenate(places).astype(np.int64), np.array(lengths, dtype=np.int64)
        )

    def __len__(self) -> int:
        return len(self.lengths)

    def counts(self) -> Integers:
        """How often each of the pieces stands in the sentences."""
        return np.bincount(self.places, minlength=len(self.pieces))

    def where(self, kept: np.ndarray) -> Sentences:
        """Some of the sentences, `kept (S,)` bool."""
        return Sentences(
            self.pieces, self.places[np.repeat(kept, self.lengths)], self.lengths[kept]
        )

    def encoded(self, vocabulary: Vocabulary) -> Integers:
        """`(T,)` the number of each token in a vocabulary."""
        return vocabulary.encode(self.pieces)[self.places]


def unit_of(vocabulary: Vocabulary) -> Unit:
    """Characters where one is `<space>` and all others are of one character, else words."""
    others = set(vocabulary.tokens) - {SPACE, *MARKS}
    spaced = SPACE in vocabulary.numbers
    return "characters" if spaced and all(len(one) == 1 for one in others) else "words"


def _no_text(corpus: Corpus, line: int) -> DataError:
    return DataError(
        f"got {HEAD}, with which an ARPA file begins, expected a text: it is a model;"
        f" {conversion(corpus.file or 'MODEL')} takes it",
        file=corpus.file or corpus.name,
        line=line,
    )


def corpus_of(source: Any, text_column: str | None = None) -> Corpus:
    """What `Corpus.of` takes, or any other iterable of sentences."""
    as_it_is = isinstance(source, (str, list, tuple, Corpus)) or hasattr(source, "texts")
    if isinstance(source, Iterable) and not as_it_is:
        source = list(source)
    return Corpus.of(source, text_column=text_column)


def _lines(corpus: Corpus) -> Iterator[str]:
    """The lines; no line goes on in the next document."""
    rest = ""
    for begins, piece in corpus.stream():
        if begins and rest:
            yield rest
            rest = ""
        *lines, rest = (rest + piece).split("\n")
        yield from lines
    yield rest
