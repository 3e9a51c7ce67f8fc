"""`unrolled evaluate`: a model's score beside its baseline's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import columns, given, number_or_name

EXAMPLES = (
    "unrolled evaluate model.unrolled",
    "unrolled evaluate model.unrolled later.csv",
    "unrolled evaluate reviews.unrolled new.csv --report report.html",
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
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Classifier, tagger: write a page with confusion matrix and reliability (.html).",
        ),
    ] = None,
    target: options.Target = None,
    time: options.Time = None,
    id_: options.Id = None,
    missing: options.MissingAgain = None,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    column: options.TagColumn = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure a model beside its simple rivals, and say who wins.

    Without FILE this is the evaluation on the part that was kept back in training. The table of a
    forecaster is read as the one of its training; --target, --time, --id and --missing say what is
    different.
    """
    from unrolled.cli.models import data_for, kind, open_model, refuse, verdict
    from unrolled.cli.outputs import PAGE, check_out, print_json

    task = open_model(model)
    reading = {
        **columns(target=target, time=time, id_=id_, missing=missing),
        **given(text_column=text_column, label_column=label_column, column=number_or_name(column)),
    }
    if report is not None:
        if kind(task) not in ("Classifier", "Tagger"):
            refuse({"report": report}, f"of labels only, and {model} holds a {kind(task)}")
        check_out(report, PAGE, "--report", [] if file is None else [file])
    if file is None:
        refuse(reading, "say how to read a FILE, and none is named")
        measured = task.evaluate()
    else:
        data, told = data_for(task, model, file, reading)
        measured = task.evaluate(data, **told)
    if as_json:
        print_json({**measured.to_dict(), "verdict": measured.verdict})
    else:
        print(verdict(task, measured))
    if report is not None:
        from unrolled.lens import write_report

        write_report(f"{kind(task)} {model.name}", measured, report)
        if not as_json:
            print(f"report written to {report}")
