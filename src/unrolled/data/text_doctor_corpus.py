"""A corpus without labels: damage by encodings, and lines that stand again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.text_doctor_duplicates import key
from unrolled.data.text_doctor_findings import MANY, counted, found, percent, share, shown
from unrolled.data.text_doctor_items import encoding_damage

_LOOKED = 20_000_000
_LONG_LINE = 40
_MUCH = 0.1


def corpus_findings(corpus: Any, test: Any = None) -> tuple[str, list[DataFinding]]:
    """The corpus in one line, and what is found in its first 20 million characters.

    Args:
        corpus: its `pieces()` are parts of the text.
        test: a corpus that will be tested on.
    """
    lines, characters, whole = _lines(corpus)
    about = f"{counted(len(lines), 'line')} of {characters:,} characters"
    if not whole:
        about = f"the first {about}"
    findings = list(encoding_damage(lines, "line"))
    long = [line for line in lines if len(line) >= _LONG_LINE]
    keys = Counter(key(line) for line in long)
    again = len(long) - len(keys)
    if again:
        most, times = keys.most_common(1)[0]
        example = next(line for line in long if key(line) == most)
        findings.append(
            found(
                "duplicate",
                f"{share(again, len(long))} lines of {_LONG_LINE} characters or more stand a "
                f"second time or more; {shown(example)} stands {times:,} times",
                "left as they are: what is repeated is learnt by heart, and a held-out end that "
                "repeats it scores too well",
                warning=again > _MUCH * len(long),
            )
        )
    if test is not None:
        findings += _across(keys, test)
    return about, findings


def _across(keys: Counter[bytes], test: Any) -> Iterator[DataFinding]:
    tested = [line for line in _lines(test)[0] if len(line) >= _LONG_LINE]
    both = [line for line in tested if key(line) in keys]
    if both:
        yield found(
            "across splits",
            f"{share(len(both), len(tested))} lines of the test of {_LONG_LINE} characters or more "
            f"stand in the training too, such as {shown(both[0])}",
            f"left as they are: the score is too good for {percent(len(both) / len(tested))} of "
            "them; take them out of the training",
            warning=len(both) > MANY * len(tested),
        )


def _lines(corpus: Any) -> tuple[list[str], int, bool]:
    """The lines of the first 20 million characters, their count, and whether that is all."""
    parts: list[str] = []
    read = 0
    for piece in corpus.pieces():
        if read + len(piece) > _LOOKED:
            parts.append(piece[: _LOOKED - read])
            return "".join(parts).split("\n"), _LOOKED, False
        parts.append(piece)
        read += len(piece)
    text = "".join(parts).removesuffix("\n")
    return text.split("\n"), read, True
