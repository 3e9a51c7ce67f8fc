"""Spans such as names in a row of tags, and how many of them were found: conlleval's F1."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unrolled.errors import ShapeError

Span = tuple[str, int, int]

_OUTSIDE = "O"
_CODED = re.compile(r"[BIESLU](-.*)?", re.DOTALL)
# BILOU's names for the end of a span and for a span of one word.
_SAME = {"L": "E", "U": "S"}


@dataclass(frozen=True)
class SpanScores:
    """Precision, recall and F1 of whole spans, shares from 0 to 1, and the counts behind them.

    Attributes:
        right: spans whose type, first and last word are all right.
        found: spans that were predicted.
        there: spans that there are.
        by_type: the same for each type; empty in a part.
    """

    right: int
    found: int
    there: int
    by_type: dict[str, SpanScores]

    @property
    def precision(self) -> float:
        """right / found, or 0 where nothing was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """right / there, or 0 where nothing is."""
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        """2 right / (found + there), or 0 where there is neither."""
        whole = self.found + self.there
        return 2 * self.right / whole if whole else 0.0


def are_spans(tags: Iterable[str]) -> bool:
    """Whether a set of tags codes spans: O and B-..., I-... (IOB1, BIO, BIOES, BILOU)."""
    coded = [tag for tag in set(tags) if tag != _OUTSIDE]
    return bool(coded) and all(_CODED.fullmatch(tag) and "-" in tag for tag in coded)


def spans(tags: Sequence[str]) -> list[Span]:
    """`(type, first, last + 1)` of each span in the tags of one sentence, in order.

    A span begins at B or S, after an E or S, at any tag after O, and where the type changes; it
    ends before the next one, before O, and after E or S. So IOB1, BIO, BIOES and BILOU all are
    read by one rule, and what breaks the rules of its own scheme (I-LOC after O) is a span too, as
    in conlleval.

    Source: `conlleval` of the shared task CoNLL-2000 (B, I, O); `seqeval` (E, S).
    """
    found: list[Span] = []
    begun: tuple[str, int] | None = None
    before = _OUTSIDE
    for place, tag in enumerate(tags):
        prefix, kind = _parts(tag)
        if begun is not None and (
            prefix in (_OUTSIDE, "B", "S") or before in ("E", "S") or kind != begun[0]
        ):
            found.append((begun[0], begun[1], place))
            begun = None
        if begun is None and prefix != _OUTSIDE:
            begun = (kind, place)
        before = prefix
    if begun is not None:
        found.append((begun[0], begun[1], len(tags)))
    return found


def span_scores(actual: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> SpanScores:
    """How many whole spans were found, over all sentences.

    Args:
        actual, predicted: the tags of each sentence.

    Raises:
        ShapeError: sentences of another number or length.
    """
    if len(actual) != len(predicted):
        raise ShapeError(f"got {len(actual)} sentences and predictions of {len(predicted)}")
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for row, (one, other) in enumerate(zip(actual, predicted, strict=True)):
        if len(one) != len(other):
            raise ShapeError(
                f"sentence {row + 1} has {len(one)} words and {len(other)} predicted tags"
            )
        real, said = spans(one), spans(other)
        there.update(kind for kind, _, _ in real)
        found.update(kind for kind, _, _ in said)
        right.update(kind for kind, _, _ in set(real) & set(said))
    by_type = {
        kind: SpanScores(right[kind], found[kind], there[kind], {})
        for kind in sorted(there | found)
    }
    return SpanScores(right.total(), found.total(), there.total(), by_type)


def _parts(tag: str) -> tuple[str, str]:
    if tag == _OUTSIDE:
        return _OUTSIDE, ""
    prefix, _, kind = tag.partition("-")
    return _SAME.get(prefix, prefix), kind
