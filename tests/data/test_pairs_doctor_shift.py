"""Shifted lines: found with the line from which on, and not where nothing is shifted."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import catalog, examine_pairs
from unrolled.data.pairs import SentencePairs
from unrolled.data.pairs_doctor_shift import shifted
from unrolled.data.written_dates import written_dates

COUNT = 300
Rows = tuple[list[str], list[str]]


def of_lengths(count: int = COUNT, seed: int = 1) -> Rows:
    """Sides that tell by their lengths alone: no word of them is twice there."""
    draw = random.Random(seed)
    sizes = [draw.randint(4, 60) for _ in range(count)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    return tuple(
        ["".join(draw.choices(letters, k=size + draw.randint(0, 2))) for size in sizes]
        for _ in range(2)
    )  # type: ignore[return-value]


def of_words() -> Rows:
    """Sides of one length each, and a word for a word."""
    draw = random.Random(2)
    drawn = [draw.sample(range(100, 160), 5) for _ in range(COUNT)]
    return tuple(
        [" ".join(f"{name}{word}" for word in sorted(words, key=key)) for words in drawn]
        for name, key in (("a", None), ("z", lambda word: word % 7))
    )  # type: ignore[return-value]


SIDES = {"lengths": of_lengths(), "words": of_words()}


def without(rows: Rows, sources: set[int] = frozenset(), targets: set[int] = frozenset()) -> Rows:
    """The rows with lines lost on either side, cut to one length."""
    lost = (sources, targets)
    kept = [
        [line for place, line in enumerate(side) if place not in its]
        for side, its in zip(rows, lost, strict=True)
    ]
    count = min(map(len, kept))
    return kept[0][:count], kept[1][:count]


def found(rows: Rows) -> str:
    """What is told; nothing where nothing is."""
    findings = list(shifted(SentencePairs(*map(tuple, rows))))
    assert len(findings) <= 1
    assert all((one.kind, one.severity) == ("misaligned", "warning") for one in findings)
    return "".join(one.text for one in findings)


def begins(told: str) -> int:
    return int(re.match(r"from about pair (\d+) ", told)[1])  # type: ignore[index]


@settings(max_examples=25, deadline=None)
@given(
    by=st.sampled_from(sorted(SIDES)),
    at=st.integers(0, COUNT - 30),
    lines=st.integers(1, 3),
    early=st.booleans(),
)
def test_from_where_lines_of_one_side_were_lost_is_told(by, at, lines, early):
    lost = set(range(at, at + lines))
    told = found(without(SIDES[by], **{"targets" if early else "sources": lost}))
    assert abs(begins(told) - at) <= lines + 2
    count = f"{lines} line{'s' * (lines > 1)}"
    assert f" to the end the targets stand {count} too {'early' if early else 'late'}: " in told


@pytest.mark.parametrize("by", SIDES)
def test_a_part_that_is_shifted_ends_where_the_other_side_lost_a_line_as_well(by):
    told = found(without(SIDES[by], sources={200}, targets={100}))
    assert abs(begins(told) - 100) <= 3
    end = re.search(r" up to pair (\d+) the targets stand 1 line too early: ", told)
    assert end is not None
    assert abs(int(end[1]) - 200) <= 3
    assert "shifted otherwise" not in told


def test_the_first_of_several_parts_is_told_and_the_others_are_counted():
    told = found(without(SIDES["lengths"], targets={60, 130, 220}))
    assert abs(begins(told) - 60) <= 3
    assert " the targets stand 1 line too early: " in told
    assert told.endswith("; 2 parts after that are shifted otherwise")


def test_what_is_left_of_a_part_beside_another_is_none():
    told = found(without(SIDES["lengths"], targets={80, 120}))
    assert " the targets stand 1 line too early: " in told
    assert told.endswith("; 1 part after that is shifted otherwise")


def test_the_example_belongs_together_and_the_line_is_that_of_the_file(tmp_path):
    rows = without(SIDES["words"], targets={100})
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in zip(*rows, strict=True)))
    (told,) = [one for one in examine_pairs(path) if one.kind == "misaligned"]
    assert told.time is not None
    assert abs(int(told.time.removeprefix("line ")) - 101) <= 3
    source, target, _ = re.findall(r"'(.*?)'", told.text)
    assert sorted(source.replace("a", "z").split()) == sorted(target.split())
    assert "the targets lack" in told.done
    # the lengths of what is shifted are not told one by one
    assert [one.kind for one in examine_pairs(path)] == ["misaligned"]


@pytest.mark.parametrize("by", SIDES)
def test_sound_pairs_mixed_ones_and_few_have_no_shift(by):
    sources, targets = SIDES[by]
    assert found((sources, targets)) == ""
    mixed = random.Random(0).sample(targets, COUNT)
    assert found((sources, mixed)) == ""
    assert found(without((sources[:50], targets[:50]), targets={5})) == ""
    assert found((sources, [*targets[:-5], *targets[-6:-1]])) == ""  # five lines may be chance


@pytest.mark.parametrize(("count", "seed"), [(60, 58), (3000, 1)])
def test_what_chance_has_among_few_or_many_mixed_pairs_is_no_shift(count, seed):
    sources, targets = of_lengths(count, seed)
    assert found((sources, random.Random(seed).sample(targets, count))) == ""


def test_pairs_that_are_all_alike_or_in_order_have_no_shift():
    assert found((["Yes."] * 100, ["Ja."] * 100)) == ""
    counted = [f"The house number {n} is old." for n in range(300)]
    assert found((counted, [one.replace("old", "alt") for one in counted])) == ""
    dates = written_dates(500)
    assert found((list(dates.sources), list(dates.targets))) == ""


@pytest.mark.data
@pytest.mark.parametrize("name", ["multi30k-val", "tatoeba-de-en-val"])
def test_in_public_pairs_a_lost_line_is_found_and_nothing_else(name):
    pairs = catalog.load(name, download=False)
    rows = list(pairs.sources), list(pairs.targets)
    assert found(rows) == ""
    assert abs(begins(found(without(rows, targets={700}))) - 700) <= 5
