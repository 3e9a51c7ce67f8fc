"""How languages write a day, and that no other day is written so."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest
from babel import Locale, localedata
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.date_forms import forms_of, writings
from unrolled.data.written_dates import HELD_OUT_LANGUAGES, LANGUAGES
from unrolled.errors import ConfigError

EVERY = LANGUAGES + HELD_OUT_LANGUAGES
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def in_latin_digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in text)


def as_typed(text: str) -> str:
    """With plain spaces and without marks of direction."""
    return " ".join(re.sub("[\u200e\u200f\u061c]", "", text).split())


@given(days, st.sampled_from(EVERY), st.sampled_from(["short", "medium", "long", "full"]))
def test_what_babel_writes_is_among_the_writings(day: date, language: str, form: str) -> None:
    written = as_typed(format_date(day, form, locale=language))
    numbers = re.findall(r"\d+", written)
    if str(day.year) not in numbers:
        assert form == "short"  # a year of two digits
    else:
        two_ways = re.search(r"\d[/-]\d+[/-]\d{4}", written) and day.day <= 12
        expected = not two_ways or day.day == day.month
        assert (written in map(in_latin_digits, writings(language, day))) == expected


@given(days, st.sampled_from(EVERY))
def test_every_writing_has_the_day_and_the_whole_year(day: date, language: str) -> None:
    for text in writings(language, day):
        numbers = set(map(int, re.findall(r"\d+", in_latin_digits(text))))
        assert {day.day, day.year} <= numbers, text
        assert text == as_typed(text)


@given(days, st.sampled_from(EVERY))
def test_a_language_has_several_writings_for_each_day(day: date, language: str) -> None:
    every = writings(language, day)
    assert len(set(every)) == len(every)
    assert len(every) >= (4 if day.day > 12 else 3)


@given(days)
def test_numbers_that_read_as_two_days_are_not_written(day: date) -> None:
    for language in EVERY:
        for text in map(in_latin_digits, writings(language, day)):
            bare = re.search(r"\b(\d+)([^\d\w]+)(\d+)[^\d\w]+\d{4}\b", text)
            if bare and "." not in bare[2] and bare[2].strip():
                one, _, other = bare.groups()
                assert max(int(one), int(other)) > 12 or one == other, text


def test_where_only_one_reading_is_a_date_numbers_are_written_in_either_order() -> None:
    assert not [text for text in writings("en", date(2024, 3, 5)) if "/" in text]
    assert {"5/19/2024", "19/05/2024"} <= set(writings("en", date(2024, 5, 19)))
    assert {"5/5/2024", "05/05/2024"} <= set(writings("en", date(2024, 5, 5)))


def test_no_language_of_babel_puts_the_month_first_with_dots_or_the_day_after_the_year() -> None:
    read = 0
    for name in localedata.locale_identifiers():
        formats = Locale.parse(name).date_formats if name != "root" else {}
        for form in formats.values():
            fields = re.sub("'[^']*'", "", form.pattern)
            if "MMM" in fields or "LLL" in fields:
                continue
            order = "".join(dict.fromkeys(sign for sign in fields if sign in "dMy"))
            read += 1
            assert order != "ydM", name
            assert order != "Mdy" or "." not in fields, name
    assert read > 500


@pytest.mark.parametrize(
    ("language", "day", "text"),
    [
        ("ar", date(2024, 3, 28), "٢٨/٣/٢٠٢٤"),
        ("bn", date(2024, 3, 5), "৫ মার্চ, ২০২৪"),
        ("de", date(2024, 3, 5), "5.3.2024"),
        ("fa", date(2024, 3, 24), "۲۴ مارس ۲۰۲۴"),
        ("fr", date(2024, 5, 1), "1er mai 2024"),
        ("fr", date(2024, 5, 11), "le 11 mai 2024"),
        ("hi", date(2024, 3, 5), "5 मार्च 2024"),
        ("hi", date(2024, 3, 5), "५ मार्च २०२४"),
        ("it", date(2024, 5, 1), "1º maggio 2024"),
        ("ja", date(2024, 3, 5), "2024年3月5日"),
        ("pt", date(2024, 5, 1), "1º de maio de 2024"),
        ("sr", date(2024, 3, 5), "5. mart 2024."),
        ("sr", date(2024, 3, 5), "5. март 2024."),
        ("th", date(2024, 3, 5), "๕ มี.ค. ๒๐๒๔"),
        ("zh", date(2024, 3, 5), "2024年3月5日週二"),
    ],
)
def test_a_day_is_written_as_its_readers_do(language: str, day: date, text: str) -> None:
    assert text in writings(language, day)


@pytest.mark.parametrize(
    ("number", "end"),
    [
        *((1, "st"), (2, "nd"), (3, "rd"), (4, "th"), (11, "th"), (12, "th"), (13, "th")),
        *((20, "th"), (21, "st"), (22, "nd"), (23, "rd"), (30, "th"), (31, "st")),
    ],
)
def test_english_ordinals_end_as_they_are_said(number: int, end: str) -> None:
    assert f"May {number}{end}, 2024" in writings("en", date(2024, 5, number))


@pytest.mark.parametrize("language", ["xx", "", "de-DE-", "nothing at all"])
def test_a_language_unknown_to_babel_is_refused_in_a_line(language: str) -> None:
    with pytest.raises(ConfigError, match=r"languages: got .*, expected codes of languages") as got:
        forms_of(language)
    assert "\n" not in str(got.value)
