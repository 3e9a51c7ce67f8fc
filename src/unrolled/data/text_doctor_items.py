"""Single texts: those left out while reading, characters of the wrong encoding, very long ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.labelled import LabelledTexts
from unrolled.data.mojibake import Damage, damage
from unrolled.data.text_doctor_findings import MANY, counted, found, share, shown

_LONG_TIMES = 10
_LONG_WORDS = 200
_EMPTY = 0.05

_DAMAGE = {
    "misread": "UTF-8 that was read with another encoding",
    "control": "control characters where Windows-1252 has dashes and quotation marks",
    "lost": "a character that was lost (U+FFFD)",
}


def left_out(texts: LabelledTexts) -> Iterator[DataFinding]:
    """Rows without text, and rows with text but no label."""
    rows = len(texts) + len(texts.unlabelled) + texts.empty
    if texts.empty:
        yield found(
            "empty",
            f"{share(texts.empty, rows)} rows have no text",
            "left out",
            warning=texts.empty > _EMPTY * rows,
        )
    if texts.unlabelled:
        yield found(
            "unlabelled",
            f"{share(len(texts.unlabelled), rows)} rows have a text and no label, such as "
            f"{shown(texts.unlabelled[0])}",
            "left out of what is learnt: they can teach the language (pretrained=)",
        )


def encoding_damage(
    texts: Iterable[str], what: str = "text", place_of: Callable[[int], str] | None = None
) -> Iterator[DataFinding]:
    """Texts that were read with the wrong encoding, one finding for each kind of damage.

    Args:
        texts: looked through in their order.
        what: a text is called.
        place_of: what says where a text stands; None: "text 17", counted from 0.
    """
    counts: dict[str, int] = {}
    first: dict[str, tuple[int, Damage]] = {}
    place = -1
    for place, text in enumerate(texts):
        bad = damage(text)
        if bad is not None:
            counts[bad.kind] = counts.get(bad.kind, 0) + 1
            first.setdefault(bad.kind, (place, bad))
    for kind, count in counts.items():
        at, bad = first[kind]
        likely = "" if kind == "lost" else f", likely {bad.repaired!r}"
        remedy = "unrolled.data.repair_encoding(text) turns it back"
        if kind == "lost":
            remedy = "read the original again with its own encoding"
        yield found(
            "encoding",
            f"{share(count, place + 1)} {what}s hold {_DAMAGE[kind]}, such as "
            f"{_visible(bad.word)}{likely}",
            f"left as it is: {remedy}",
            # control characters are symbols that a network can learn as any other
            warning=kind != "control" and count > MANY * (place + 1),
            place=f"{what} {at}" if place_of is None else place_of(at),
        )


def lengths(texts: Sequence[str], what: str = "text") -> Iterator[DataFinding]:
    """Texts much longer than the median."""
    counts = [len(text.split()) for text in texts]
    middle, longest = median(counts), max(counts)
    if longest <= _LONG_WORDS or longest < _LONG_TIMES * middle:
        return
    at = counts.index(longest)
    far = sum(1 for count in counts if count > _LONG_WORDS and count >= _LONG_TIMES * middle)
    yield found(
        "long",
        f"it has {counted(longest, 'word')} where the median is {middle:,.0f}"
        + (f" ({counted(far, what)} of {_LONG_TIMES} times the median or more)" if far > 1 else ""),
        "nothing to do: long ones are read in chunks, and take most of the time",
        place=f"{what} {at}",
    )


def _visible(word: str) -> str:
    return "'" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in word) + "'"
