"""How tags such as B-PER and I-PER mark spans of words: BIO, BIOES, IOB1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_SPAN_TAG = re.compile(r"(?:O|[BIESLU]-.+)")


def scheme_of(tags: Sequence[Sequence[str]]) -> str | None:
    """The scheme of the tags of sentences; None where they mark no spans.

    "BIOES": E- or S- are there (or L- and U-, as BILOU writes them). "IOB1": spans begin with I-,
    and B- stands only right after a span of the same kind. Else "BIO".
    """
    seen = {tag for sentence in tags for tag in sentence}
    letters = {tag[0] for tag in seen if tag != "O"}
    if not letters or not all(_SPAN_TAG.fullmatch(tag) for tag in seen):
        return None
    if letters & set("ESLU"):
        return "BIOES"
    inside = False
    for sentence in tags:
        before = "O"
        for tag in sentence:
            if tag.startswith("B-") and before[2:] != tag[2:]:
                return "BIO"
            inside = inside or (tag.startswith("I-") and before[2:] != tag[2:])
            before = tag
    return "IOB1" if inside else "BIO"


def broken_spans(sentence: Sequence[str], scheme: str) -> Iterator[int]:
    """The places at which a tag can't follow the one before it: I- after O, an open span's end."""
    if scheme == "IOB1":
        return
    before = "O"
    for place, tag in enumerate((*sentence, "O")):
        open_before = before[0] in ("BI" if scheme == "BIOES" else "")
        goes_on = tag[0] in "IEL" and before[0] in "BI" and tag[2:] == before[2:]
        if (tag[0] in "IEL" and not goes_on) or (open_before and not goes_on):
            yield min(place, len(sentence) - 1)
        before = tag
