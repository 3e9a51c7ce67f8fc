"""Characters that do not belong into sentences: invisible ones, and marks of HTML."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs import SentencePairs
from unrolled.data.text_doctor_findings import MANY, found, share, shown

_HTML = re.compile(r"&(?:amp|quot|apos|lt|gt|nbsp|#\d{2,5}|#x[\da-fA-F]{2,4});|</?[a-z][a-z\d]*>")
# Control characters but for white space, soft hyphens, zero-width space and mark of byte order,
# marks of direction, private use. Joiners belong to Persian, to Indian languages and to emoji.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f\xad\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ue000-\uf8ff]"
)


def characters(pairs: SentencePairs) -> Iterator[DataFinding]:
    """Sentences with invisible characters or marks of HTML, one finding for a side and kind."""
    for side, sentences in (("source", pairs.sources), ("target", pairs.targets)):
        for pattern, what, remedy in (
            (INVISIBLE, "invisible characters", "take them out"),
            (_HTML, "marks of HTML", "html.unescape(text) turns '&amp;' back"),
        ):
            yield from _with(pattern, what, remedy, pairs, side, sentences)


def _with(
    pattern: re.Pattern[str],
    what: str,
    remedy: str,
    pairs: SentencePairs,
    side: str,
    sentences: Sequence[str],
) -> Iterator[DataFinding]:
    places = [place for place, one in enumerate(sentences) if pattern.search(one)]
    if not places:
        return
    seen = Counter(mark for place in places for mark in pattern.findall(sentences[place]))
    told = ", ".join(named(mark) for mark, _ in seen.most_common(3))
    yield found(
        "characters",
        f"{share(len(places), len(pairs))} {side} sentences hold {what} ({told}): "
        f"{pairs.told(places)}, such as {shown(sentences[places[0]])}",
        f"left as they are, and learnt as letters are: {remedy}",
        warning=len(places) > MANY * len(pairs),
        place=pairs.place(places[0]),
    )


def named(mark: str) -> str:
    """A character by its number and name; more than one as they are."""
    if len(mark) > 1:
        return mark
    name = unicodedata.name(mark, "").lower()
    return f"U+{ord(mark):04X}" + (f" {name}" if name else "")
