"""Written dates and what they are in ISO 8601: pairs to translate, drawn without end.

    Montag, 23. November 1987    1987-11-23
    २३ नवंबर १९८७                 1987-11-23
    5/19/2024                    2024-05-19

The dates are written by `babel`; `date_forms` tells in which forms, and why each has one meaning
only, so that every pair can be answered from the source alone, whatever its language.

Thirty languages are there to learn from, in ten scripts. Twelve more are held out, and fairly so:
what is asked in them can be told by analogy. Their scripts and digits are among the thirty's, no
text of theirs is another day's there, and of every month's name, long or short, most of the names
that are nearest by edit distance belong to the same month: Romanian "ianuarie" is between "januari"
and "gennaio", Slovak "júna" between "jun" and "június". Left out are languages with names of their
own (Croatian, Lithuanian, Belarusian, Basque, Irish: Croatian "listopad" is October, Polish
"listopad" November), those whose short names lead astray (Azerbaijani, Icelandic), Catalan, which
writes the article into the name, and Urdu, since neither Arabic nor Persian leads to its names.

The parts are of days, not of writings: whoever draws, in whatever language, years or order, no day
is in two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from unrolled.data.date_forms import can_swap, forms_of
from unrolled.data.memory import PARTS, check_size
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.data.pairs import SentencePairs

LANGUAGES = (
    "ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id",
    "it", "ja", "ko", "mr", "nl", "pl", "pt", "ru", "sr", "sv", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip
HELD_OUT_LANGUAGES = ("af", "as", "bg", "eo", "et", "lb", "mk", "nb", "ne", "ro", "sk", "sl")
YEARS = (1900, 2100)
# Of twenty days, one is for validation, one for the test.
_SHARES = {0: "validation", 1: "test"}


def part_of(day: date) -> str:
    """Which part a day belongs to: "train", "validation" or "test", by a hash of the day alone."""
    digest = blake2b(day.isoformat().encode(), digest_size=8).digest()
    return _SHARES.get(int.from_bytes(digest) % 20, "train")


def written_dates(
    count: int,
    *,
    part: str = "train",
    seed: int = 0,
    languages: Sequence[str] = LANGUAGES,
    years: tuple[int, int] = YEARS,
) -> SentencePairs:
    """Pairs of a written date and the same day in ISO 8601.

    The day is uniform among the days of the part, the language among the languages, the form among
    those in which the language can write the day without a second meaning. The same arguments give
    the same pairs; a larger count goes on after a smaller one's. Releases of babel carry different
    releases of the CLDR, in which writings change now and then.

    Args:
        count: of pairs.
        part: of the days: "train", "validation" or "test" (18, 1 and 1 of 20).
        seed: of the draws; each part has draws of its own.
        languages: codes of languages that babel knows. That no text has two meanings is certain
            for `LANGUAGES` and `HELD_OUT_LANGUAGES` together.
        years: the first and the last year, both drawn from; of four digits.

    Raises:
        ConfigError: a count below 1, a seed below 0, a part that is none, no language or one
            unknown to babel, years that are not in order or not of four digits.
    """
    from unrolled.data.pairs import SentencePairs

    check_size("count", count, 1, "pairs are drawn")
    check_size("seed", seed, 0, "draws start from it")
    if part not in PARTS:
        raise ConfigError(f"part: got {part!r}, expected one of {', '.join(PARTS)}")
    if isinstance(languages, str) or not languages:
        raise ConfigError(
            f'languages: got {languages!r}, expected codes of languages, such as ("de", "fr")'
        )
    days = _days(part, *_checked(years))
    forms = [forms_of(language) for language in languages]
    plain = [[form for form in every if not form.swaps] for every in forms]

    sources, targets = [], []
    draws = np.random.default_rng([PARTS[part], seed]).random((count, 3))
    for place, choice, way in (draws * (len(days), len(forms), 1)).tolist():
        day = days[int(place)]
        usable = (plain if can_swap(day) else forms)[int(choice)]
        sources.append(usable[int(way * len(usable))].write(day))
        targets.append(day.isoformat())
    return SentencePairs(tuple(sources), tuple(targets), f"written dates, {part}")


def _checked(years: tuple[int, int]) -> tuple[int, int]:
    try:
        first, last = years
        right = int(first) == first and int(last) == last and 1000 <= first <= last <= 9999
    except (TypeError, ValueError):
        right = False
    if not right:
        raise ConfigError(
            f"years: got {years!r}, expected the first and the last, from 1000 to 9999"
        )
    return int(first), int(last)


@lru_cache(maxsize=8)
def _days(part: str, first: int, last: int) -> tuple[date, ...]:
    start = date(first, 1, 1)
    count = (date(last, 12, 31) - start).days + 1
    days = (start + timedelta(number) for number in range(count))
    return tuple(day for day in days if part_of(day) == part)
