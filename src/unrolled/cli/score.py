"""`unrolled score`: how likely texts are to a generator or an n-gram model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli import options
from unrolled.errors import ConfigError, DataWarning

EXAMPLES = (
    "unrolled score writer.unrolled sentences.txt",
    "unrolled score writer.unrolled --text 'To be, or not to be' --per-token",
    "grep -v '^#' lines.txt | unrolled score writer.unrolled -",
    "unrolled score lm.unrolled sentences.txt --out scores.csv",
)


def score(
    model: options.Model,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT",
            help="A .txt file with a text a line, or - for standard input, answered line by line.",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text, in place of INPUT.")] = None,
    per_token: Annotated[
        bool, typer.Option("--per-token", help="The log-probability of every token.")
    ] = False,
    cache: Annotated[
        bool,
        typer.Option("--cache", help="A neural cache of what was read of the text (generator)."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to this .csv file.")
    ] = None,
) -> None:
    """Say how likely each text is, as CSV.

    The columns are the text, its log-probability in nats, its perplexity (by token) and its bits
    per character; with --per-token the number of the text, each token and its log-probability. To
    an n-gram model a text is a sentence, and its end a token; one without words is told.
    """
    from unrolled.cli.answers import STREAM, TOGETHER, Rows, is_lines, lines_of, one_of
    from unrolled.cli.models import kind, open_model, refuse
    from unrolled.cli.outputs import check_out

    task: Any = open_model(model)
    if kind(task) not in ("Generator", "NGramModel"):
        raise ConfigError(
            f"{model} holds a {kind(task)}; give the model of a generator, or an n-gram model"
        )
    how = {"cache": True} if cache else {}
    if kind(task) == "NGramModel":
        refuse(how, f"not for {model}, which holds an n-gram model")
    one_of(text, source, "score")
    if source is not None and not is_lines(source):
        raise ConfigError(f"{source}: expected a .txt file with a text a line, or {STREAM}")
    if out is not None:
        check_out(out, (".csv",), inputs=[str(model), *([] if source is None else [source])])
    texts = [text] if text is not None else lines_of(str(source))
    columns = ["text", "token", "log_probability"]
    if not per_token:
        columns = ["text", "log_probability", "perplexity", "bits_per_character"]
    together = 1 if source == STREAM else TOGETHER
    Rows(columns, out).write(_rows(task, texts, per_token, how, together))


def _rows(
    task: Any, texts: Any, per_token: bool, how: dict[str, Any], together: int
) -> Iterator[Sequence[Any]]:
    from unrolled.cli.answers import batches
    from unrolled.cli.models import kind

    place, wordless = 0, list[str]()
    sentences = kind(task) == "NGramModel"
    for batch in batches(texts, together):
        scores = task.score(batch, per_token=per_token, **how)
        for text, found in zip(batch, scores, strict=True):
            place += 1
            if sentences and found.count == 1:
                wordless.append(text)
            if not per_token:
                yield text, found.log_probability, found.perplexity, found.bits_per_character
                continue
            for token, log_probability in found.tokens:
                yield place, token, log_probability
    if wordless:
        warnings.warn(
            f"{len(wordless):,} of {place:,} texts, such as {wordless[0]!r}, have no {task.unit}"
            f" for this model (normalise={task.normalise!r}): only the end of a sentence is scored",
            DataWarning,
            stacklevel=2,
        )
