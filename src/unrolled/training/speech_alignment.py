"""What was heard laid beside what was said, word by word or character by character, by jiwer."""

from __future__ import annotations

import importlib.util
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from unrolled.errors import MissingExtra

Units = Literal["words", "characters"]
# What was said and what was heard for it; None: nothing.
Pair = tuple[str | None, str | None]


@dataclass(frozen=True)
class Counts:
    """How many units are right, and how many are wrong in which way.

    Attributes:
        hits: heard as they were said.
        substitutions: heard as others.
        deletions: said and not heard.
        insertions: heard and not said.
    """

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def wrong(self) -> int:
        """Substitutions, deletions and insertions together: the edit distance."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def said(self) -> int:
        """Units of the references."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """100 wrong / said, in percent: above 100 where much is inserted, NaN of no reference."""
        return self.percent(self.wrong)

    def percent(self, count: int) -> float:
        """100 count / said; NaN where nothing was said."""
        return 100 * count / self.said if self.said else float("nan")


@dataclass(frozen=True)
class Alignment:
    """One text laid beside another with the fewest changes.

    Attributes:
        pairs: in order; a unit that was left out or put in has None on the other side.
    """

    pairs: tuple[Pair, ...]

    @property
    def counts(self) -> Counts:
        """Of this text alone."""
        kinds = [_mark(*pair) for pair in self.pairs]
        return Counts(*(kinds.count(kind) for kind in (" ", "S", "D", "I")))

    def lines(self, names: tuple[str, str], width: int = 96) -> list[str]:
        """What was said above what was heard, and below them S, D and I where that is wrong.

        Args:
            names: what stands before the two.
            width: characters of a line; a longer text goes on three lines further down.
        """
        left = max(map(len, names))
        rows: list[list[str]] = []
        room = 0
        for said, heard in self.pairs:
            cells = [said or "", heard or "", _mark(said, heard)]
            size = max(map(len, cells))
            # A side that has nothing is filled with stars, so that it can be seen.
            cells[:2] = [cell or "*" * size for cell in cells[:2]]
            if not rows or room + 1 + size > width:
                rows += [[name.ljust(left) + " "] for name in (*names, "")]
                room = left + 1
            for row, cell in zip(rows[-3:], cells, strict=True):
                row.append(cell.ljust(size))
            room += 1 + size
        lines = [" ".join(row).rstrip() for row in rows]
        return [line for line in lines if line]


def align(
    hypotheses: Sequence[str], references: Sequence[str], units: Units = "words"
) -> tuple[Counts, list[Alignment]]:
    """Each hypothesis beside its reference, and the counts of all together.

    Runs of white space part words, and count as one character. Of alignments with as few changes
    jiwer takes one.

    Args:
        hypotheses, references: what was heard and what was said.
        units: what is laid beside each other.

    Raises:
        MissingExtra: jiwer is not installed.
    """
    _check_installed()
    import jiwer

    process = jiwer.process_words if units == "words" else jiwer.process_characters
    said, heard = ([" ".join(text.split()) for text in texts] for texts in (references, hypotheses))
    found = process(said, heard)
    alignments = []
    for chunks, own, other in zip(
        found.alignments, found.references, found.hypotheses, strict=True
    ):
        pairs: list[Pair] = []
        for chunk in chunks:
            left = own[chunk.ref_start_idx : chunk.ref_end_idx]
            right = other[chunk.hyp_start_idx : chunk.hyp_end_idx]
            # There are as many on both sides, or none on one.
            pairs += zip_longest(left, right)
        alignments.append(Alignment(tuple(pairs)))
    counts = Counts(found.hits, found.substitutions, found.deletions, found.insertions)
    return counts, alignments


def edits(hypothesis: Sequence[Hashable], reference: Sequence[Hashable]) -> int:
    """The fewest substitutions, deletions and insertions that make one of the other.

    Args:
        hypothesis, reference: words, characters or numbers of symbols.

    Raises:
        MissingExtra: jiwer is not installed.

    Source: Levenshtein 1966.
    """
    _check_installed()
    # What jiwer itself counts with, and brings along.
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(list(hypothesis), list(reference))


def _check_installed() -> None:
    if importlib.util.find_spec("jiwer") is None:
        raise MissingExtra("speech", "a word or character error rate")


def _mark(said: str | None, heard: str | None) -> str:
    if said == heard:
        return " "
    return "I" if said is None else "D" if heard is None else "S"
