"""Options of a translator that several verbs share: its pairs, and how it searches."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from unrolled.cli.options import given, option
from unrolled.errors import ConfigError

TargetColumn = Annotated[
    str | None,
    option("Pairs: the column of the translations, likewise.", "the second", metavar="COLUMN"),
]
Beam = Annotated[
    int | None, option("Translator: hypotheses that the search keeps; 1 is greedy.", "5")
]
LengthPenalty = Annotated[
    str | None,
    option(
        "Translator: 0 favours short translations, 1 longer ones; or mean.",
        "1.0",
        metavar="NUMBER|mean",
    ),
]
CoveragePenalty = Annotated[
    float | None,
    option("Translator: above 0, what leaves words of the sentence out ranks lower.", "0.0"),
]
NoRepeat = Annotated[
    int | None,
    typer.Option(metavar="N", help="Translator: no N tokens in a row come twice."),
]
MaxLength = Annotated[
    str | None,
    option(
        "Translator: the most tokens of a translation, a number, or A,B: A times those of the"
        " sentence, and B more.",
        "2.0, 10",
        metavar="N|A,B",
    ),
]
MinLength = Annotated[
    int | None, option("Translator: the fewest tokens of a translation.", "0", metavar="N")
]
Prefix = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Translator: what every translation begins with."),
]


def searching(
    *, length_penalty: str | None = None, max_length: str | None = None, **others: Any
) -> dict[str, Any]:
    """The options of a search that were given, as `Translator.translate` takes them.

    Raises:
        ConfigError: what is no number where one is needed.
    """
    return given(
        **others,
        length_penalty=_penalty(length_penalty),
        max_length=_longest(max_length),
    )


def _penalty(told: str | None) -> float | str | None:
    if told is None or told == "mean":
        return told
    try:
        return float(told)
    except ValueError:
        raise ConfigError(
            f"--length-penalty: got {told!r}, expected a number from 0 on or mean"
        ) from None


def _longest(told: str | None) -> int | tuple[float, float] | None:
    if told is None:
        return None
    try:
        if "," not in told:
            return int(told)
        slope, offset = map(float, told.split(","))
        return slope, offset
    except ValueError:
        raise ConfigError(
            f"--max-length: got {told!r}, expected a whole number such as 60, or A,B such as 2,10"
        ) from None
