"""Written dates and their ISO form: what is drawn, from which days, and that it can be answered."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.date_forms import writings
from unrolled.data.memory import PARTS
from unrolled.data.written_dates import (
    HELD_OUT_LANGUAGES,
    LANGUAGES,
    YEARS,
    part_of,
    written_dates,
)
from unrolled.errors import ConfigError

EVERY = LANGUAGES + HELD_OUT_LANGUAGES
seeds = st.integers(0, 2**31)
parts = st.sampled_from(list(PARTS))


@given(seeds, parts)
def test_a_target_is_the_day_that_was_written(seed: int, part: str) -> None:
    pairs = written_dates(10, part=part, seed=seed)
    assert len(pairs) == 10
    for source, target in zip(pairs.sources, pairs.targets, strict=True):
        day = date.fromisoformat(target)
        assert target == f"{day.year:04}-{day.month:02}-{day.day:02}"
        assert YEARS[0] <= day.year <= YEARS[1]
        assert any(source in writings(language, day) for language in LANGUAGES)


@given(seeds, parts, st.integers(1, 40))
def test_the_same_seed_gives_the_same_pairs_however_many(seed: int, part: str, count: int) -> None:
    few, many = (written_dates(size, part=part, seed=seed) for size in (count, 40))
    assert few == written_dates(count, part=part, seed=seed)
    assert few.sources == many.sources[:count]
    assert few.targets == many.targets[:count]
    assert many.sources != written_dates(40, part=part, seed=seed + 1).sources


@pytest.mark.parametrize("years", [YEARS, (2024, 2024)])
def test_no_text_stands_for_two_days(years: tuple[int, int]) -> None:
    days: dict[str, str] = {}
    count = 0
    for part in PARTS:
        pairs = written_dates(67_000, part=part, languages=EVERY, years=years)
        count += len(pairs)
        for source, target in zip(pairs.sources, pairs.targets, strict=True):
            assert days.setdefault(source, target) == target, source
    assert count > 200_000


def test_the_parts_share_no_day_in_any_language_or_form() -> None:
    drawn = {
        part: {
            target
            for seed in range(3)
            for target in written_dates(5000, part=part, languages=EVERY, seed=seed).targets
        }
        for part in PARTS
    }
    assert all(len(days) > 2000 for days in drawn.values())
    assert not drawn["train"] & drawn["test"]
    assert not drawn["train"] & drawn["validation"]
    assert not drawn["validation"] & drawn["test"]
    for part, days in drawn.items():
        assert {part_of(date.fromisoformat(day)) for day in days} == {part}


def test_a_day_stays_in_its_part_for_good() -> None:
    places = [part_of(date(2024, 1, 1) + timedelta(number)) for number in range(60)]
    held = {number: part for number, part in enumerate(places) if part != "train"}
    assert held == {
        1: "validation",
        4: "validation",
        30: "test",
        31: "test",
        39: "test",
        47: "test",
    }


def test_of_twenty_days_one_is_for_validation_and_one_for_the_test() -> None:
    counts = Counter(part_of(date(1900, 1, 1) + timedelta(number)) for number in range(70_000))
    assert set(counts) == set(PARTS)
    for part in ("validation", "test"):
        assert abs(counts[part] / 70_000 - 1 / 20) < 0.005


def test_every_language_and_every_month_is_drawn_alike() -> None:
    whole = written_dates(30_000)
    months = Counter(target[5:7] for target in whole.targets)
    assert len(months) == 12
    assert min(months.values()) > 30_000 / 12 * 0.85
    # Hangul is Korean's alone, Greek letters are Greek's, and so on.
    for script in ("HANGUL", "GREEK", "HEBREW", "THAI", "BENGALI"):
        share = sum(script in scripts([source]) for source in whole.sources) / len(whole)
        assert 0.6 / 30 < share < 1.2 / 30, script
    for language in EVERY:
        alone = written_dates(40, languages=[language])
        for source, target in zip(alone.sources, alone.targets, strict=True):
            assert source in writings(language, date.fromisoformat(target))


def scripts(texts: Iterable[str]) -> set[str]:
    letters = {sign for text in texts for sign in text if sign.isalpha()}
    return {unicodedata.name(sign).split()[0] for sign in letters}


def month_names(language: str) -> set[tuple[str, int]]:
    locales = {"sr": ["sr", "sr_Latn"], "en": ["en", "en_GB"]}.get(language, [language])
    return {
        (name.rstrip(".").lower(), month)
        for locale in locales
        for width in ("wide", "abbreviated")
        for month, name in Locale.parse(locale).months["format"][width].items()
    }


def edit_distance(one: str, other: str) -> float:
    row = list(range(len(other) + 1))
    for place, sign in enumerate(one, 1):
        before, row = row, [place]
        for at, that in enumerate(other):
            row.append(min(before[at + 1] + 1, row[at] + 1, before[at] + (sign != that)))
    return row[-1] / max(len(one), len(other))


@pytest.mark.parametrize("language", HELD_OUT_LANGUAGES)
def test_months_of_a_held_out_language_are_told_by_the_names_nearest_to_theirs(
    language: str,
) -> None:
    learnt = {name for one in LANGUAGES for name in month_names(one)}
    for name, month in month_names(language):
        near = {known: edit_distance(name, known[0]) for known in learnt}
        least = min(near.values())
        nearest = Counter(known[1] for known, distance in near.items() if distance == least)
        assert nearest[month] > nearest.total() / 2, (name, nearest)


def test_scripts_and_digits_of_the_held_out_languages_are_among_those_learnt() -> None:
    learnt, held = (
        written_dates(20_000, languages=some).sources for some in (LANGUAGES, HELD_OUT_LANGUAGES)
    )
    assert not set(LANGUAGES) & set(HELD_OUT_LANGUAGES)
    assert len(set(LANGUAGES)) == 30
    assert scripts(held) <= scripts(learnt)
    digits = (
        {sign for text in texts for sign in text if sign.isdecimal()} for texts in (held, learnt)
    )
    assert next(digits) <= next(digits)
    assert not set(learnt) >= set(held)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"count": 0}, "count: got 0, expected a whole number of 1 or more"),
        ({"count": 2.5}, "count: got 2.5"),
        ({"seed": -1}, "seed: got -1, expected a whole number of 0 or more"),
        ({"part": "all"}, "part: got 'all', expected one of train, validation, test"),
        ({"languages": "de"}, "languages: got 'de', expected codes of languages"),
        ({"languages": []}, r"languages: got \[\], expected codes of languages"),
        ({"languages": ["de", "xx"]}, "languages: got 'xx', expected codes of languages"),
        ({"years": (2024, 2000)}, r"years: got \(2024, 2000\), expected the first and the last"),
        ({"years": (999, 2000)}, r"years: got \(999, 2000\)"),
        ({"years": 2000}, "years: got 2000, expected the first and the last"),
        ({"years": (1, 2, 3)}, r"years: got \(1, 2, 3\)"),
        ({"years": (1900.5, 2000)}, r"years: got \(1900.5, 2000\)"),
    ],
)
def test_what_can_not_be_drawn_is_refused_in_a_line(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as got:
        written_dates(**{"count": 5, **wrong})
    assert "\n" not in str(got.value)


def test_the_first_year_and_the_last_are_drawn_from_to_their_ends() -> None:
    days = written_dates(2000, years=(2023, 2024)).targets
    assert {day[:4] for day in days} == {"2023", "2024"}
    assert min(days) < "2023-02"
    assert max(days) > "2024-12"
