"""`WordRivals`: the words that sound like a given one."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from os import PathLike, fspath
from typing import TYPE_CHECKING

import numpy as np

from unrolled.data import catalog
from unrolled.data.pronunciations import Pronunciations, read_pronunciations
from unrolled.decoding.ngrams.vocabulary import MARKS
from unrolled.decoding.sound_key import sound_key

if TYPE_CHECKING:
    from unrolled.decoding.ngrams.model import NGramModel

SAME, HEARD, NEAR, LETTERS = "same sound", "heard", "near sound", "like letters"
# What is surer to sound alike comes first.
HOW = (SAME, HEARD, NEAR, LETTERS)
# Of a language model's words, the most frequent are looked through.
_MOST = 50_000
_EDGES = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)


@dataclass(frozen=True, eq=False)
class WordRivals:
    """The words that sound like a given one, by a dictionary, and by letters where it has none.

    Attributes:
        pronunciations: the dictionary; an empty one: the letters alone tell.
        vocabulary: words to look through by their letters, those that it does not have.
        near: whether pronunciations that are one phone apart count.
    """

    pronunciations: Pronunciations
    vocabulary: tuple[str, ...] = ()
    near: bool = False

    def knows(self, word: str) -> bool:
        """Whether it is a word; without a dictionary and a vocabulary whatever is written is."""
        if not self.vocabulary and not len(self.pronunciations):
            return True
        parts = _EDGES.match(word.lower())
        core = "" if parts is None else parts.group(2)
        return any(
            one in self.pronunciations or one in self._in_vocabulary for one in (word.lower(), core)
        )

    @cached_property
    def _in_vocabulary(self) -> frozenset[str]:
        return frozenset(one.lower() for one in self.vocabulary)

    def of(self, word: str) -> dict[str, str]:
        """The rivals of a word, written as it is, with small or large letters and the marks around
        it, and why each is one."""
        before, core, after = ("", word, "")
        if word.lower() not in self.pronunciations and (parts := _EDGES.match(word)):
            before, core, after = parts.groups()
        plain, known = core.lower(), self.pronunciations
        if not plain:
            return {}
        found = dict.fromkeys(known.alike(plain), SAME)
        if self.near:
            found |= dict.fromkeys(known.near(plain), NEAR)
        by_letters = _by_key(self.vocabulary).get(sound_key(plain), ())
        for one in by_letters:
            if one != plain and not (one in known and plain in known):
                found.setdefault(one, LETTERS)
        return {f"{before}{_written_like(core, one)}{after}": how for one, how in found.items()}


def frequent_words(model: NGramModel | None) -> tuple[str, ...]:
    """The words of a language model, the most frequent first."""
    if model is None or model.unit != "words":
        return ()
    tokens = model.vocabulary.tokens
    order = np.argsort(-model.trie.log_prob[1 : 1 + len(tokens)], kind="stable")
    words = (tokens[at] for at in order.tolist() if at >= len(MARKS))
    return tuple(word for word, _ in zip(words, range(_MOST), strict=False))


def dictionary(given: Pronunciations | str | PathLike[str] | None) -> Pronunciations:
    """What is given, or read from a file; without either CMUdict where it is at hand, else none.

    Raises:
        DataError: a file that can't be read.
    """
    if isinstance(given, Pronunciations):
        return given
    if given is not None:
        return read_pronunciations(given)
    path = catalog.find("cmudict")
    return Pronunciations({}) if path is None else _read(fspath(path))


@lru_cache(1)
def _read(path: str) -> Pronunciations:
    return read_pronunciations(path)


@lru_cache(2)
def _by_key(words: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for word in words:
        plain = word.lower()
        if key := sound_key(plain):
            found[key][plain] = None
    return {key: list(some) for key, some in found.items()}


def _written_like(word: str, rival: str) -> str:
    if len(word) > 1 and word.isupper():
        return rival.upper()
    return rival[:1].upper() + rival[1:] if word[:1].isupper() else rival
