"""`unrolled evaluate`: a model's score beside its baseline's."""

from __future__ import annotations

from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import columns

EXAMPLES = (
    "unrolled evaluate model.unrolled",
    "unrolled evaluate model.unrolled later.csv",
    "unrolled evaluate writer.unrolled other.txt --json",
)


def evaluate(
    model: options.Model,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="What to measure on, or data:NAME. Without: what was measured in training.",
        ),
    ] = None,
    target: options.Target = None,
    time: options.Time = None,
    id_: options.Id = None,
    missing: options.MissingAgain = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure a model beside its simple rivals, and say who wins.

    Without FILE this is the evaluation on the part that was kept back in training. The table of a
    forecaster is read as the one of its training; --target, --time, --id and --missing say what is
    different.
    """
    from unrolled.cli.models import data_for, open_model, refuse, verdict
    from unrolled.cli.outputs import print_json

    task = open_model(model)
    reading = columns(target=target, time=time, id_=id_, missing=missing)
    if file is None:
        refuse(reading, "say how to read a FILE, and none is named")
        measured = task.evaluate()
    else:
        measured = task.evaluate(data_for(task, model, file, reading))
    if as_json:
        print_json({**measured.to_dict(), "verdict": measured.verdict})
    else:
        print(verdict(task, measured))
