"""How a language writes a day: the forms of `babel`, and those that no text of another day shares.

    en   May 19, 2024      5/19/2024      Sunday, May 19, 2024      the 19th of May 2024 ...
    mr   १९ मे, २०२४         रविवार, १९ मे, २०२४ ...

A form is a pattern of the Unicode CLDR, which babel fills in: its short, medium, long and full ones
and the combinations of fields that a language lists, and a few that people write and the CLDR does
not have (`May 19th, 2024`, `1er mai 2024`). All are of the Gregorian calendar, as babel's are.

Only what has one meaning for every reader is written:

- Years have all four digits, also where a language's short form has two: 19.05.24 is of 1924 too.
- `3/5/2024` is in March to an American and in May to nearly everyone else, with a weekday's name
  before it too. Where day and month are bare numbers before the year, with slashes or hyphens
  between, a day is written only if they have one reading: `19/5/2024`, `5/19/2024`, `5/5/2024`.
  With dots the day comes first in every language, and after a year comes the month: those stand.

Digits are those of the language's own script as well, where it has them: ar ٢٠٢٤, fa ۲۰۲۴, hi and
mr २०२४, bn ২০২৪, th ๒๐๒๔. babel writes Latin ones everywhere; which digits are a language's is in
its data. Every kind of space is written as the plain one, and marks of direction, which are not to
be seen, are left out: so a keyboard would write it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from babel import Locale
    from babel.dates import DateTimePattern

# A language with several standards has a locale for each.
_LOCALES = {"en": ("en", "en_GB"), "sr": ("sr", "sr_Latn"), "zh": ("zh", "zh_Hant")}
_FORMATS = ("short", "medium", "long", "full")
_SKELETONS = ("yMd", "yMMMd", "yMMMMd", "yMEd", "yMMMEd", "yMMMMEEEEd")
# What people write beside the forms of the CLDR, in its letters. {} is where an ordinal ends.
_MORE = {
    "da": ("'den' d. MMMM y",),
    "de": ("'den' d. MMMM y", "EEEE, 'den' d. MMMM y", "EEEE, dd.MM.y"),
    "en": (
        "MMMM d y",
        "MMMM d'{}', y",
        "EEEE, MMMM d'{}', y",
        "d'{}' MMMM y",
        "'the' d'{}' 'of' MMMM y",
        "EEEE d MMMM y",
    ),
    "es": ("d 'de' MMMM 'del' y", "d MMMM y"),
    "fr": ("d'{}' MMMM y", "'le' d'{}' MMMM y", "EEEE d'{}' MMMM y"),
    "it": ("d'{}' MMMM y", "EEEE d'{}' MMMM y"),
    "pt": ("d'{}' 'de' MMMM 'de' y", "EEEE, d'{}' 'de' MMMM 'de' y"),
    "sv": ("'den' d MMMM y",),
}
_FIRST = {"fr": "er", "it": "º", "pt": "º"}  # after the first of a month alone
# The digit 0 of what the CLDR calls a numbering system; the others follow it.
_ZEROS = {
    "arab": "\u0660",
    "arabext": "\u06f0",
    "beng": "\u09e6",
    "deva": "\u0966",
    "mymr": "\u1040",
    "thai": "\u0e50",
}
_BARE = re.compile(r"(?<![dM])(?:dd?|MM?)([^\w']+)(?:dd?|MM?)(?![dM])[^\w']+y")
_UNSEEN = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


@dataclass(frozen=True, eq=False)
class Form:
    """One way to write a day.

    Attributes:
        pattern: of the CLDR, such as "d. MMMM y".
        swaps: whether it may be read with day and month exchanged.
    """

    pattern: str
    swaps: bool
    _language: str
    _locale: Locale
    _fill: DateTimePattern
    _digits: dict[int, str]

    def has_one_meaning(self, day: date) -> bool:
        """Whether no reader could take what is written for another day."""
        return not (self.swaps and can_swap(day))

    def write(self, day: date) -> str:
        """The day in this form."""
        text = self._fill.apply(day, self._locale)
        if "{}" in text:
            text = text.replace("{}", _ordinal_end(self._language, day.day))
        return " ".join(text.translate(_UNSEEN).split()).translate(self._digits)


def can_swap(day: date) -> bool:
    """Whether its day and month, exchanged, are another date."""
    return day.day <= 12 and day.day != day.month


@cache
def forms_of(language: str) -> tuple[Form, ...]:
    """Every form in which a language writes a day.

    Args:
        language: by its code in babel ("de", "pt_PT").

    Raises:
        ConfigError: a language that babel does not know.
    """
    from babel import Locale, UnknownLocaleError
    from babel.dates import parse_pattern

    forms = {}
    for name in _LOCALES.get(language, (language,)):
        try:
            locale = Locale.parse(name)
        except (UnknownLocaleError, ValueError, TypeError):
            raise ConfigError(
                f"languages: got {language!r}, expected codes of languages that babel knows, such "
                'as "de"'
            ) from None
        for pattern in _patterns(language, locale):
            for zero in _zeros(locale):
                # Locales of one language and script have most patterns in common.
                key = pattern, zero, locale.script
                forms[key] = Form(
                    pattern,
                    _swaps(pattern),
                    language,
                    locale,
                    parse_pattern(pattern),
                    _digits(zero),
                )
    return tuple(forms.values())


def writings(language: str, day: date) -> tuple[str, ...]:
    """Every text of one meaning that a language has for a day, each once.

    Raises:
        ConfigError: a language that babel does not know.
    """
    forms = (form for form in forms_of(language) if form.has_one_meaning(day))
    return tuple(dict.fromkeys(form.write(day) for form in forms))


def _patterns(language: str, locale: Locale) -> list[str]:
    patterns = [locale.date_formats[name].pattern for name in _FORMATS]
    skeletons = locale.datetime_skeletons
    patterns += [skeletons[name].pattern for name in _SKELETONS if name in skeletons]
    patterns += _MORE.get(language, ())
    return list(dict.fromkeys(re.sub(r"(?<!y)yy(?!y)", "y", one) for one in patterns))


def _swaps(pattern: str) -> bool:
    """Whether bare numbers of day and month stand before the year, and not with dots."""
    bare = _BARE.search(pattern.translate(_UNSEEN))
    return bare is not None and "." not in bare[1]


def _zeros(locale: Locale) -> list[str]:
    systems = [locale.default_numbering_system, locale.other_numbering_systems.get("native", "")]
    return list(dict.fromkeys(_ZEROS.get(system, "0") for system in systems))


def _digits(zero: str) -> dict[int, str]:
    return {ord("0") + number: chr(ord(zero) + number) for number in range(10) if zero != "0"}


def _ordinal_end(language: str, number: int) -> str:
    if language in _FIRST:
        return _FIRST[language] if number == 1 else ""
    if number in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
