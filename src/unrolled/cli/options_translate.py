"""Options of a translator that several verbs share: its pairs, and how it searches."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from unrolled.cli.options import given, number_or_name, option
from unrolled.errors import ConfigError

TargetColumn = Annotated[
    str | None,
    option("Pairs: the column of the translations, likewise.", "the second", metavar="COLUMN"),
]
Beam = Annotated[
    int | None, option("Hypotheses that the search keeps; 1 is greedy; of a transcriber 8.", "5")
]
LengthPenalty = Annotated[
    str | None,
    option(
        "Translator: 0 favours short translations, 1 longer ones; or mean, of the tokens.",
        "mean",
        metavar="NUMBER|mean",
    ),
]
CoveragePenalty = Annotated[
    float | None,
    option("Translator: above 0, what leaves words of the sentence out ranks lower.", "0.0"),
]
Prune = Annotated[
    float | None,
    typer.Option(
        metavar="NATS",
        help="Translator: what is so far below the best at its step is dropped: faster.",
    ),
]
SearchPrecision = Annotated[
    str | None,
    option(
        "Translator: of the search's products: bf16 is quicker, fp32 exact; auto rounds where the"
        " processor has it in hardware.",
        "auto",
        metavar="auto|fp32|bf16",
    ),
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
TooLong = Annotated[
    str | None,
    option(
        "Translator: what becomes of a sentence longer than any that was learnt; it is told.",
        "keep",
        metavar="keep|split|truncate",
    ),
]
Fuse = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Translator: a generator that has a say in every token (train generate --tokens-of).",
    ),
]
FuseWeight = Annotated[float | None, option("Translator: how much say.", "0.2")]
Rerank = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Translator, transcriber: a generator or n-gram model that has a say in which answer"
        " is best.",
    ),
]
RerankWeight = Annotated[
    float | None,
    option("How much say --rerank has; as tuned, else of a transcriber 0.5.", "0.2"),
]


def target_side(named: list[str] | None) -> str | int | None:
    """The one column that `--target` names, where what is read are pairs.

    Raises:
        ConfigError: several.
    """
    if named and len(named) > 1:
        raise ConfigError("--target: of pairs one column only")
    return number_or_name(named[0]) if named else None


def searching(
    *,
    length_penalty: str | None = None,
    max_length: str | None = None,
    fuse: str | None = None,
    rerank: str | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The options of a search that were given, as `Translator.translate` takes them.

    Raises:
        ConfigError: what is no number where one is needed.
        ModelFileError: no generator where one is needed.
    """
    return given(
        **others,
        length_penalty=penalty(length_penalty),
        max_length=_longest(max_length),
        fuse=_generator(fuse, "fuse"),
        rerank=_text_model(rerank, "rerank"),
    )


def penalty(told: str | None) -> float | str | None:
    """A length penalty as it is told on the command line; ConfigError where it is none."""
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


def _generator(path: str | None, argument: str) -> Any:
    """Read once, not for every line."""
    if path is None:
        return None
    from unrolled.tasks.pretrained import open_pretrained

    return open_pretrained(path, argument)[0]


def _text_model(path: str | None, argument: str) -> Any:
    """Read once, not for every line."""
    if path is None:
        return None
    from unrolled.tasks.text_models import open_text_model

    return open_text_model(path, argument)
