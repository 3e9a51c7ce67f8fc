"""Spans by conlleval's rules, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import ShapeError
from unrolled.training.spans import Span, are_spans, span_scores, spans


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("O O", []),
        ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
        # IOB1: a span begins with I, and with B only right after another of its type.
        ("I-LOC O I-LOC I-LOC B-LOC", [("LOC", 0, 1), ("LOC", 2, 4), ("LOC", 4, 5)]),
        # What breaks the rules of BIO: a type that changes begins a span.
        ("B-PER I-LOC I-LOC O", [("PER", 0, 1), ("LOC", 1, 3)]),
        ("I-PER I-LOC", [("PER", 0, 1), ("LOC", 1, 2)]),
        ("B-PER B-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        # BIOES and BILOU.
        ("S-LOC B-PER I-PER E-PER", [("LOC", 0, 1), ("PER", 1, 4)]),
        ("B-PER E-PER I-PER E-PER", [("PER", 0, 2), ("PER", 2, 4)]),
        ("E-PER E-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("U-LOC U-LOC B-PER L-PER", [("LOC", 0, 1), ("LOC", 1, 2), ("PER", 2, 4)]),
        ("S-PER I-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        # A type may hold a hyphen, or be missing.
        ("B-MISC-x I-MISC-x", [("MISC-x", 0, 2)]),
        ("B I O", [("", 0, 2)]),
    ],
)
def test_spans_begin_and_end_as_conlleval_has_them(tags: str, expected: list[Span]) -> None:
    assert spans(tags.split()) == expected


SPANS = st.lists(
    st.tuples(st.sampled_from(["PER", "LOC"]), st.integers(1, 3), st.integers(0, 2)), max_size=5
)


@given(SPANS, st.sampled_from(["BIO", "BIOES", "BILOU"]))
def test_spans_that_were_written_are_read_in_every_scheme(
    drawn: list[tuple[str, int, int]], scheme: str
) -> None:
    tags: list[str] = []
    expected: list[Span] = []
    for kind, length, gap in drawn:
        tags += ["O"] * gap
        expected.append((kind, len(tags), len(tags) + length))
        prefixes = ["B", *["I"] * (length - 1)]
        if scheme != "BIO":
            prefixes[-1] = scheme[3]
            if length == 1:
                prefixes[-1] = scheme[4] if scheme == "BIOES" else "U"
        if scheme == "BILOU" and length > 1:
            prefixes[-1] = "L"
        tags += [f"{prefix}-{kind}" for prefix in prefixes]
    assert spans(tags) == expected


def test_scores_are_counted_over_all_sentences_and_by_type() -> None:
    actual = [["B-NP", "I-NP", "O", "B-VP"], ["B-NP", "O", "B-PP", "O"]]
    said = [["B-NP", "I-NP", "O", "B-NP"], ["B-NP", "B-NP", "I-PP", "O"]]
    found = span_scores(actual, said)
    assert (found.right, found.found, found.there) == (3, 5, 4)
    assert (found.precision, found.recall) == (0.6, 0.75)
    assert found.f1 == pytest.approx(2 / 3)
    by_type = {kind: (one.right, one.found, one.there) for kind, one in found.by_type.items()}
    # "I-PP" after "B-NP" begins a span of its own, and is the PP that is there.
    assert by_type == {"NP": (2, 4, 2), "PP": (1, 1, 1), "VP": (0, 0, 1)}


def _conlleval(actual: list[str], said: list[str]) -> tuple[int, int, int]:
    """Right, found and there, by the two tables of conlleval's manual, word by word."""
    ends = {"BB", "BO", "IB", "IO"}
    begins = {"BB", "IB", "OB", "OI"}

    def seen(tags: list[str], place: int) -> tuple[str, str]:
        prefix, _, kind = (tags[place] if 0 <= place < len(tags) else "O").partition("-")
        return prefix, kind

    def turns(tags: list[str], place: int) -> tuple[bool, bool]:
        (before, old), (now, new) = seen(tags, place - 1), seen(tags, place)
        other = old != new
        end = before + now in ends or (before != "O" and other)
        return end, before + now in begins or (now != "O" and other)

    right = found = there = 0
    together = False
    for place in range(len(actual) + 1):
        (end, begin), (said_end, said_begin) = turns(actual, place), turns(said, place)
        if together and (end or said_end):
            right += end and said_end
            together = False
        there += begin
        found += said_begin
        if begin and said_begin:
            together = seen(actual, place)[1] == seen(said, place)[1]
    return right, found, there


TAGS = st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"])


@given(st.lists(st.tuples(TAGS, TAGS), max_size=12))
def test_counts_are_those_of_conlleval_whatever_the_tags(pairs: list[tuple[str, str]]) -> None:
    actual, said = [one for one, _ in pairs], [other for _, other in pairs]
    found = span_scores([actual], [said])
    assert (found.right, found.found, found.there) == _conlleval(actual, said)


def test_a_span_with_one_wrong_end_or_type_is_wrong() -> None:
    for said in ("B-PER O O", "O B-PER O", "B-LOC I-LOC O", "B-PER I-PER I-PER", "O O O"):
        assert span_scores([["B-PER", "I-PER", "O"]], [said.split()]).f1 == 0
    assert span_scores([["B-PER", "I-PER", "O"]], [["I-PER", "I-PER", "O"]]).f1 == 1


def test_a_span_does_not_go_on_in_the_next_sentence() -> None:
    found = span_scores([["B-PER"], ["I-PER"]], [["B-PER"], ["I-PER"]])
    assert found.there == 2


def test_without_spans_the_scores_are_zero() -> None:
    found = span_scores([["O"]], [["O"]])
    assert (found.precision, found.recall, found.f1) == (0, 0, 0)


def test_tags_that_code_spans_are_known() -> None:
    assert are_spans(["O", "B-PER", "I-PER"])
    assert are_spans(["S-x", "O"])
    assert not are_spans(["NOUN", "VERB"])
    assert not are_spans(["O"])
    assert not are_spans(["B", "I", "O"])
    assert not are_spans(["B-PER", "O", "X-PER"])


def test_sentences_that_do_not_belong_together_are_told() -> None:
    with pytest.raises(ShapeError, match="1 sentences and predictions of 2"):
        span_scores([["O"]], [["O"], ["O"]])
    with pytest.raises(ShapeError, match="sentence 1 has 1 words and 2 predicted"):
        span_scores([["O"]], [["O", "O"]])
