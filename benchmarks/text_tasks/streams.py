"""A text and its last tenth: to test on, or (before it) to choose by."""

from __future__ import annotations

from run_folder import TEST


def until(text: str, part: str) -> tuple[str, float]:
    """What a `Generator` is given, and the share at its end that is held out.

    Of all characters the last 10% are the test part, the 10% before them the validation part, for
    which the last are not looked at.
    """
    if part == TEST:
        return text, 0.1
    return text[: round(len(text) * 0.9)], 1 / 9


def halves(text: str, part: str) -> tuple[str, str]:
    """What may be learnt, and what is scored; cut where `Generator.fit` cuts."""
    given, holdout = until(text, part)
    cut = round(len(given) * (1 - holdout))
    return given[:cut], given[cut:]
