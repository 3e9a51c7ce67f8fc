"""Sentences with more tokens than any that was learnt: they are told, or cut into parts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence

from unrolled.errors import DataWarning

# Where a sentence is cut rather than elsewhere: after the end of a sentence, of a part of one.
_CUTS = (
    re.compile(r"[.!?\u3002\uff01\uff1f]['\"\u201d\u2019)\]]*\s*$"),
    re.compile(r"[,;:\u3001\uff0c]\s*$"),
)
_WORDS = re.compile(r"\s*\S+")
# What no space divides is cut into so many characters at most.
_CHARACTERS = 40


def parts_of(sentence: str, most: int, count: Callable[[str], int]) -> list[str]:
    """The sentence in parts of at most `most` tokens, cut after marks where there are any.

    Joined they are the sentence, but for white space. A part is longer only where a single word of
    up to `_CHARACTERS` characters is.

    Args:
        sentence: one line.
        most: tokens of a part.
        count: how many tokens a text has.
    """
    words: list[str] = []
    for word in _WORDS.findall(sentence.strip()):
        whole = count(word) <= most
        step = len(word) if whole else _CHARACTERS
        words += [word[at : at + step] for at in range(0, len(word), step)]
    parts: list[str] = []
    while words:
        fits = 1
        while fits < len(words) and count("".join(words[: fits + 1])) <= most:
            fits += 1
        if fits < len(words):
            fits = _best_cut(words[:fits])
        parts.append("".join(words[:fits]).strip())
        words = words[fits:]
    return parts


def _best_cut(words: Sequence[str]) -> int:
    """After how many of the words to cut: in their second half after a mark, else after all."""
    for pattern in _CUTS:
        for at in range(len(words), len(words) // 2, -1):
            if pattern.search(words[at - 1]):
                return at
    return len(words)


def warn_of_long(places: Sequence[int], longest: int, what: str, part: str = "") -> None:
    """Tell that sentences have more tokens than any that was learnt."""
    several = (
        f"{len(places):,} sentences{part} have" if len(places) > 1 else f"1 sentence{part} has"
    )
    warnings.warn(
        f"{several} more than the {longest:,} tokens of the longest that was learnt (the first is"
        f" number {places[0] + 1:,}): {what}",
        DataWarning,
        stacklevel=6,
    )
