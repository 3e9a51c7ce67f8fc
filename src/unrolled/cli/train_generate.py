"""`unrolled train generate`: from text to a saved `Generator`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import given, option

EXAMPLES = (
    "unrolled train generate book.txt",
    "unrolled train generate letters/ diary.txt --budget 10m --out me.unrolled",
    "unrolled train generate data:python-docs --budget '500 steps' --run-dir run",
)


def train_generate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE", help="Text files, folders of .txt files, or data:NAME (catalog)."
        ),
    ],
    out: options.Out = Path("model.unrolled"),
    budget: Annotated[str | None, option(options.BUDGET_HELP, "2m")] = None,
    holdout: Annotated[float | None, option(options.HOLDOUT_HELP, "0.1")] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    cell: options.Cell = None,
    hidden_size: Annotated[int | None, option(options.HIDDEN_SIZE_HELP, "256")] = None,
    layers: Annotated[int | None, option(options.LAYERS_HELP, "2")] = None,
    embedding_size: Annotated[int | None, option("Size of a character's vector.", "64")] = None,
    dropout: Annotated[
        float | None,
        option(options.DROPOUT_HELP, "0.2"),
    ] = None,
    learning_rate: Annotated[float | None, option(options.LEARNING_RATE_HELP, "0.003")] = None,
    rows: Annotated[int | None, option("Streams read side by side.", "16")] = None,
    steps: Annotated[int | None, option("Characters between two updates.", "128")] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: options.Precision = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn to write like a text, character by character.

    The evaluation compares the network with an n-gram model on the part that was kept back, and
    says where the network loses. Ctrl-C ends the training early and saves what was learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import text_of
    from unrolled.cli.training import train

    check_out(out, MODEL)
    text = text_of(files)
    from unrolled.tasks.generator import Generator

    task = Generator(
        **given(
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            embedding_size=embedding_size,
            dropout=dropout,
            learning_rate=learning_rate,
            rows=rows,
            steps=steps,
            seed=seed,
            device=device,
            precision=precision,
        )
    )
    run = given(budget=budget, holdout=holdout, run_dir=run_dir)
    train(task, text, out, resume=resume, no_diagnose=no_diagnose, no_progress=no_progress, **run)
