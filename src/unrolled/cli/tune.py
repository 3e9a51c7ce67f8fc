"""`unrolled tune`: how much a language model counts in a transcriber."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import options, options_transcribe
from unrolled.cli.options import given
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.transcribing.tuning import Trial, Tuned

EXAMPLES = (
    "unrolled tune hears.unrolled validation/ --lm lm.unrolled",
    "unrolled tune hears.unrolled validation.csv --lm lm.arpa --rerank writer.unrolled",
    "unrolled tune hears.unrolled validation/ --lm lm.unrolled --out tuned.unrolled --json",
)


def tune(
    model: options.Model,
    recordings: Annotated[
        str,
        typer.Argument(
            metavar="RECORDINGS",
            help="Sounds with what is said in them, that nothing was learnt from: a folder, a"
            " table, or data:NAME (catalog).",
        ),
    ],
    lm: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="An n-gram model (.unrolled, .arpa) that has a say while it searches.",
        ),
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A generator or n-gram model that chooses among the answers of the beam.",
        ),
    ] = None,
    beam: Annotated[
        int | None, options.option("Prefixes that the search keeps; 2 or more.", "32")
    ] = None,
    audio: options_transcribe.Audio = None,
    text: options_transcribe.Text = None,
    speaker: options_transcribe.Speaker = None,
    pattern: options_transcribe.Pattern = None,
    skip: options_transcribe.Skip = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the model with its weights here (.unrolled), not to MODEL."
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Choose how much a language model counts beside what a transcriber hears.

    The weight of --lm, what each word and each unknown word adds, and the weight of --rerank are
    those with which the fewest words of RECORDINGS are wrong; of equals the fewest letters. They
    are kept in the model's file, and are what predict, evaluate and listen use with --lm and
    --rerank from then on, unless other numbers are given.
    """
    from unrolled.cli.models import data_for, kind, open_model
    from unrolled.cli.outputs import MODEL, check_out, print_json

    task: Any = open_model(model)
    if kind(task) != "Transcriber":
        raise ConfigError(
            f"{model} holds a {kind(task)}; tune takes the model of a transcriber, with recordings"
        )
    if not (lm or rerank):
        raise ConfigError("give --lm, --rerank or both: they are what is weighed")
    saved = model if out is None else out
    others = [recordings, *(one for one in (lm, rerank) if one)]
    check_out(saved, MODEL, inputs=[] if out is None else others)
    reading = given(audio=audio, text=text, speaker=speaker, pattern=pattern, skip=skip or None)
    data, told = data_for(task, model, [recordings], reading)
    found = task.tune(data, lm, rerank=rerank, beam=beam, tell=_step, **told)
    replaced = saved.exists()
    task.save(saved)
    if as_json:
        print_json(_record(found, saved))
        return
    print(_table(found, [name for name, one in (("--lm", lm), ("--rerank", rerank)) if one]))
    print(f"saved to {saved}{' (replaced the file that was there)' if replaced else ''}")


def _step(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _table(found: Tuned, given_by: list[str]) -> str:
    names = {"without a language model": found.before, "with the weights chosen": found.best}
    rows = [f"{'':<26}{'WER %':>8}{'CER %':>8}"]
    rows += [f"{name:<26}{one.wer:>8.2f}{one.cer:>8.2f}" for name, one in names.items()]
    rows += [f"{found.weights}, of {found.recordings:,} recordings, {len(found.trials)} tries"]
    if found.helps:
        rows += [
            f"the language model helps: WER {found.before.wer:.2f}% becomes {found.best.wer:.2f}%"
        ]
    else:
        rows += [
            "the language model does not help: no weight makes fewer words wrong; leave"
            f" {' and '.join(given_by)} out"
        ]
    if found.helps and "--rerank" in given_by and not found.weights.rerank_weight:
        rows += ["the second pass does not help: leave --rerank out"]
    return "\n".join(rows)


def _record(found: Tuned, saved: Path) -> dict[str, Any]:
    def figures(one: Trial) -> dict[str, Any]:
        return {"wer": one.wer, "cer": one.cer}

    return {
        "without": figures(found.before),
        "with": figures(found.best) | {"weights": _numbers(found.best)},
        "helps": found.helps,
        "recordings": found.recordings,
        "trials": [figures(one) | {"weights": _numbers(one)} for one in found.trials],
        "saved": str(saved),
    }


def _numbers(one: Trial) -> dict[str, float] | None:
    if one.weights is None:
        return None
    return {name: value for name, value in asdict(one.weights).items() if name != "told"}
