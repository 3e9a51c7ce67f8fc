"""Public holidays of a country, and how near they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from unrolled.data.frequency import Frequency
from unrolled.errors import ConfigError

_DAILY = frozenset({"s", "min", "h", "D", "B"})
_NAMES = ("holiday", "to the next holiday", "since the last holiday")
# Days beyond which a holiday is not felt.
_REACH = 7


def holiday_names(frequency: Frequency) -> tuple[str, ...]:
    """Names of the columns of `holiday_features`; none for weekly and coarser."""
    return _NAMES if frequency.code in _DAILY else ()


def holiday_features(times: np.ndarray, frequency: Frequency, country: str) -> np.ndarray:
    """Whether each time is on a public holiday, and how near the next and the last one are.

        h = 1 on a holiday, else 0
        near(d) = 1 / (1 + d)   for d <= 7 days, else 0

    columns `h`, `near(days to the next)`, `near(days since the last)`; on a holiday d = 0 in both.
    Daily and finer only; other frequencies have none (H = 0).

    Args:
        times: datetime64, shape `(n,)`, taken as local time.
        frequency: decides whether there are columns.
        country: ISO code such as "DE" or "US", with a part of the country as in "US-CA"; or a
            stock exchange, such as "NYSE", for the days on which it is closed.

    Returns:
        float32, shape `(n, H)`, columns as in `holiday_names`.

    Source: the library `holidays`. Raises: ConfigError for a code that it does not know.
    """
    known = _Calendar(country)
    if frequency.code not in _DAILY:
        return np.zeros((len(times), 0), dtype=np.float32)
    dates = np.asarray(times, dtype="datetime64[us]").astype("datetime64[D]")
    if not len(dates):
        return np.zeros((0, len(_NAMES)), dtype=np.float32)
    reach = np.timedelta64(_REACH, "D")
    days = known.days(dates.min() - reach, dates.max() + reach)
    # one far beyond each end, so that every date has a next and a last one
    far = np.timedelta64(2 * _REACH + 2, "D")
    days = np.concatenate([[dates.min() - far], days, [dates.max() + far]])
    following = days[np.searchsorted(days, dates, side="left")]
    before = days[np.searchsorted(days, dates, side="right") - 1]
    columns = [following == dates, _near(following - dates), _near(dates - before)]
    return np.stack(columns, axis=1).astype(np.float32)


def check_country(country: str) -> None:
    """ConfigError where `holiday_features` does not know the code."""
    _Calendar(country)


def _near(distance: np.ndarray) -> np.ndarray:
    days = distance.astype(np.int64)
    return np.where(days <= _REACH, 1 / (1 + days), 0.0)


class _Calendar:
    """The holidays of a code."""

    def __init__(self, code: str) -> None:
        import holidays

        country, _, part = code.strip().partition("-")
        country = country.upper()
        self.options: dict[str, Any] = {}
        self.make: Callable[..., Any] = holidays.country_holidays
        self.code = country
        parts = holidays.list_supported_countries(include_aliases=True)
        exchanges = holidays.list_supported_financial(include_aliases=True)
        if country in exchanges and not part:
            self.make = holidays.financial_holidays
            return
        if country not in parts:
            from holidays.registry import COUNTRIES

            # a person may have written the name: "Germany"
            named = {name.replace("_", " ").upper(): one[1] for name, one in COUNTRIES.items()}
            known = {one: one for one in (*parts, *exchanges)}
            raise ConfigError(
                f"holidays of {code!r} are not known: {_guess(country, known | named)}give "
                "an ISO code such as 'DE' or 'US-CA', or an exchange such as 'NYSE'"
            )
        if part:
            names = {one.upper(): one for one in parts[country]}
            if part.upper() not in names:
                shown = ", ".join(parts[country]) or "none"
                raise ConfigError(
                    f"holidays of {code!r} are not known: {_guess(part.upper(), names)}"
                    f"the parts of {country!r} are {shown}"
                )
            self.options["subdiv"] = names[part.upper()]

    def days(self, first: np.datetime64, last: np.datetime64) -> np.ndarray:
        """The holidays from the year of `first` to the year of `last`, ascending: datetime64[D]."""
        years = range(first.astype(object).year, last.astype(object).year + 1)
        found = self.make(self.code, years=years, **self.options)
        return np.array(sorted(found), dtype="datetime64[D]")


def _guess(wrong: str, known: Mapping[str, str]) -> str:
    close = dict.fromkeys(known[one] for one in get_close_matches(wrong, known, n=3, cutoff=0.5))
    return f"did you mean {' or '.join(repr(one) for one in close)}? " if close else ""
