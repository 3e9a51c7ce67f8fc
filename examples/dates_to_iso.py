"""Dates in thirty languages into ISO 8601: python examples/dates_to_iso.py [budget] [date] ...

    Montag, 23. November 1987  ->  1987-11-23
    5 มีนาคม ค.ศ. 2024          ->  2024-03-05

The dates are written by `babel`. The scores are of days that were never learnt, first in the thirty
languages, then in twelve others, of which not one date was learnt either.
"""

from __future__ import annotations

import sys

from unrolled import Translator
from unrolled.data.written_dates import HELD_OUT_LANGUAGES, LANGUAGES, written_dates

DATES = (
    "May 19th, 2024",
    "Mittwoch, den 1. Mai 1991",
    "१९ मई २०२४",
    "2024年5月19日",
    "19 Nisan 2031",
    "duminică, 19 mai 2024",
)


def main(budget: str = "2m", *dates: str) -> None:
    """Learn, count the days that are right to the last digit, and translate some dates."""
    # Of 400 signs the rarest stay unknown, so that it is learnt what to make of a sign that was
    # never seen: other languages have some.
    model = Translator(
        tokenizer="characters",
        vocabulary_size=385,
        hidden_size=128,
        embedding_size=64,
        layers=1,
        dropout=0.2,
        input_dropout=0.2,
        batch_tokens=1200,
    )
    # A validation part would soon be right throughout and choose no more; the last weights count.
    model.fit(written_dates(50_000), validation=0, holdout=0, budget=budget, tell=print)
    for told, languages in (
        ("days never learnt, in the thirty languages", LANGUAGES),
        ("days never learnt, in twelve other languages", HELD_OUT_LANGUAGES),
    ):
        test = written_dates(2000, part="test", languages=languages)
        answers = model.predict(test.sources, beam=1)
        right = [answer == day for answer, day in zip(answers, test.targets, strict=True)]
        print(f"{told}: {100 * sum(right) / len(right):.2f}% right")
    asked = dates or DATES
    for date, answer in zip(asked, model.predict(asked), strict=True):
        print(f"{date}  ->  {answer}")


if __name__ == "__main__":
    main(*sys.argv[1:])
