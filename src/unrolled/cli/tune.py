"""`unrolled tune`: how much a language model counts in a transcriber or translator."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import options, options_transcribe, options_translate
from unrolled.cli.options import given, number_or_name
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.tuned import Trial, Tuned

EXAMPLES = (
    "unrolled tune hears.unrolled validation/ --lm lm.unrolled",
    "unrolled tune hears.unrolled validation.csv --lm lm.arpa --rerank writer.unrolled",
    "unrolled tune hears.unrolled validation/ --lm lm.unrolled --out tuned.unrolled --json",
    "unrolled tune de-en.unrolled validation.tsv --rerank writer.unrolled",
)


def tune(
    model: options.Model,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA",
            help="What nothing was learnt from. Transcriber: sounds with what is said in them, a"
            " folder, a table, or data:NAME (catalog). Translator: pairs, a table, two files that"
            " go line by line, or data:NAME.",
        ),
    ],
    lm: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Transcriber: an n-gram model (.unrolled, .arpa) that has a say in the search.",
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
        int | None,
        options.option("Answers that the search keeps; 2 or more; of a translator 5.", "32"),
    ] = None,
    length_penalty: options_translate.LengthPenalty = None,
    source: options.SourceColumn = None,
    target: options_translate.TargetColumn = None,
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
    """Choose how much a language model counts beside what a transcriber or translator finds.

    Of a transcriber the weight of --lm, what each word and each unknown word adds, and the weight
    of --rerank are those with which the fewest words of DATA are wrong; of equals the fewest
    letters. Of a translator the weight of --rerank is that with the highest BLEU; of equals the
    highest chrF. They are kept in the model's file, and are what predict, evaluate and listen use
    with --lm and --rerank from then on, unless other numbers are given.
    """
    from unrolled.cli.models import a_kind, data_for, kind, open_model, refuse
    from unrolled.cli.outputs import MODEL, check_out, print_json

    task: Any = open_model(model)
    own = kind(task)
    if own not in ("Transcriber", "Translator"):
        raise ConfigError(
            f"{model} holds {a_kind(task)}; tune takes the model of a transcriber, with recordings,"
            " or of a translator, with pairs"
        )
    search = given(beam=beam, length_penalty=options_translate.penalty(length_penalty))
    if own == "Translator":
        if lm:
            raise ConfigError(
                "--lm: only a transcriber asks an n-gram model while it searches; a translator"
                " takes it as --rerank"
            )
        if not rerank:
            raise ConfigError("give --rerank, a generator or n-gram model: it is what is weighed")
        models = {"rerank": rerank}
    else:
        refuse(given(length_penalty=length_penalty), f"not for {model}, which holds a {own}")
        if not (lm or rerank):
            raise ConfigError("give --lm, --rerank or both: they are what is weighed")
        models = given(model=lm, rerank=rerank)
    saved = model if out is None else out
    check_out(saved, MODEL, inputs=[] if out is None else [*files, *models.values()])
    reading = given(audio=audio, text=text, speaker=speaker, pattern=pattern, skip=skip or None)
    reading |= given(source=number_or_name(source), target=number_or_name(target))
    data, told = data_for(task, model, files, reading, verb="tune")
    found = task.tune(data, **models, **search, tell=_step, **told)
    replaced = saved.exists()
    task.save(saved)
    if as_json:
        print_json(_record(found, saved))
        return
    print(_table(found, [name for name, one in (("--lm", lm), ("--rerank", rerank)) if one]))
    print(f"saved to {saved}{' (replaced the file that was there)' if replaced else ''}")


def _step(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _table(found: Tuned[Any], given_by: list[str]) -> str:
    before, best = found.before, found.best
    heads = [f"{name} {before.UNIT}".rstrip() for name in before.NAMES.values()]
    rows = [f"{'':<26}{''.join(f'{one:>8}' for one in heads)}"]
    for name, one in (("without a language model", before), ("with the weights chosen", best)):
        rows += [f"{name:<26}{''.join(f'{value:>8.2f}' for value in one.figures.values())}"]
    counted, what = getattr(found, found.COUNTED), found.COUNTED
    rows += [f"{best.weights}, of {counted:,} {what}, {len(found.trials)} tries"]
    if found.helps:
        name, written = next(iter(before.NAMES.items()))
        was, now = (f"{one.figures[name]:.2f}{one.UNIT}" for one in (before, best))
        rows += [f"the language model helps: {written} {was} becomes {now}"]
    else:
        rows += [
            f"the language model does not help: no weight makes {best.BETTER}; leave"
            f" {' and '.join(given_by)} out"
        ]
    if found.helps and "--rerank" in given_by and not best.weights.rerank_weight:
        rows += ["the second pass does not help: leave --rerank out"]
    return "\n".join(rows)


def _record(found: Tuned[Any], saved: Path) -> dict[str, Any]:
    return {
        "without": found.before.figures,
        "with": found.best.figures | {"weights": _numbers(found.best)},
        "helps": found.helps,
        found.COUNTED: getattr(found, found.COUNTED),
        "trials": [one.figures | {"weights": _numbers(one)} for one in found.trials],
        "saved": str(saved),
    }


def _numbers(one: Trial[Any]) -> dict[str, float] | None:
    return None if one.weights is None else one.weights.numbers
