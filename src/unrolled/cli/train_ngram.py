"""`unrolled train ngram`: from text, or another model's file, to an n-gram language model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import options
from unrolled.cli.options import given, in_our_words, option
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.decoding.ngrams import NGramModel

ENDINGS = (".unrolled", ".arpa", ".gz")
EXAMPLES = (
    "unrolled train ngram book.txt --out lm.unrolled",
    "unrolled train ngram data:tiny-shakespeare --order 4 --prune-counts 0,0,1 --out lm.arpa",
    "unrolled train ngram names.txt --unit characters --validation others.txt",
    "unrolled train ngram --from lm.arpa.gz --prune-entropy 1e-8 --out lm.unrolled",
)


def train_ngram(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Text files with a sentence a line, folders of .txt files, a table of texts, or"
            " data:NAME (catalog).",
        ),
    ] = None,
    out: options.Out = Path("model.unrolled"),
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="In place of FILE: an ARPA file, also gzipped, or a .unrolled file, to be written"
            " in the form that --out names.",
        ),
    ] = None,
    unchecked: Annotated[
        bool,
        typer.Option(
            "--unchecked", help="Take an ARPA file whose probabilities do not sum to 1, too."
        ),
    ] = False,
    text_column: options.TextColumn = None,
    order: Annotated[
        int | None, option("Length of the longest gram.", "3 words, 6 characters")
    ] = None,
    unit: Annotated[
        str | None, option("What a token is.", "words", metavar="words|characters")
    ] = None,
    normalise: Annotated[
        str | None,
        option(
            "plain: small letters, no marks but apostrophes, as in transcripts; none: words as they"
            " stand between spaces.",
            "plain",
            metavar="plain|none",
        ),
    ] = None,
    vocabulary_size: Annotated[
        int | None, option("So many most frequent tokens are known, others are <unk>.", "all")
    ] = None,
    min_count: Annotated[
        int | None, option("Tokens that stand in the text less often are <unk>.", "1")
    ] = None,
    prune_counts: Annotated[
        str | None,
        option(
            "By length, grams that stand in the text so often or less are left out: 0,0,1 leaves"
            " out what stands there once, from three tokens on.",
            "none",
            metavar="N,N,...",
        ),
    ] = None,
    prune_entropy: Annotated[
        float | None,
        option("Leave out grams that raise the perplexity by less than this share.", "0.0"),
    ] = None,
    holdout: Annotated[
        float | None, option("Share of the sentences to measure on, not learnt.", "0.05")
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Sentences to measure on, in place of --holdout."),
    ] = None,
) -> None:
    """Count the grams of a text: a language model for decoding.

    A sentence is a line. The model is estimated by interpolated modified Kneser-Ney smoothing and
    measured, by perplexity, on sentences that it did not learn, beside single tokens alone. A name
    that ends in .arpa or .arpa.gz writes an ARPA file, which other toolkits read.
    """
    from unrolled.cli.models import refuse
    from unrolled.cli.outputs import check_out
    from unrolled.data.arpa import names_arpa

    if (from_ is None) == (not files):
        raise ConfigError("give FILE to learn from, or --from MODEL to convert, one of the two")
    named = [*([] if from_ is None else [str(from_)]), *(files or [])]
    named += [] if validation is None else [validation]
    check_out(out, ENDINGS, inputs=[file for one in named for file in _files(one)])
    learning = given(
        text_column=text_column,
        order=order,
        vocabulary_size=vocabulary_size,
        min_count=min_count,
        prune_counts=prune_counts,
        holdout=holdout,
        validation=validation,
    )
    reading = given(unit=unit, normalise=normalise)
    if from_ is None:
        refuse({"unchecked": True} if unchecked else {}, "only with --from, of an ARPA file")
        model = _learnt(files or [], learning, reading | given(prune_entropy=prune_entropy))
    else:
        refuse(learning, "only where FILE is learnt from; --from takes a model as it is")
        model = _opened(from_, reading, unchecked)
        if prune_entropy:
            model = model.pruned(prune_entropy)
    for note in model.notes:
        print(in_our_words(note))
    print(", ".join(f"{count:,} {n}-grams" for n, count in enumerate(model.trie.counts, start=1)))
    replaced = out.exists()
    if names_arpa(out):
        model.write_arpa(out)
    else:
        model.save(out)
    print(f"saved to {out}{' (replaced the file that was there)' if replaced else ''}")


def _files(named: str) -> list[str]:
    """A file, or the texts of a folder."""
    from unrolled.data.text import text_files

    return [str(file) for file in text_files(Path(named))]


def _learnt(files: list[str], learning: dict[str, Any], how: dict[str, Any]) -> NGramModel:
    from unrolled.cli.sources import corpus_of
    from unrolled.decoding.ngrams import NGramModel

    text_column = {name: learning.pop(name) for name in ("text_column",) if name in learning}
    data, told = corpus_of(files, text_column)
    fit = {name: learning.pop(name) for name in ("holdout", "validation") if name in learning}
    if "validation" in fit:
        fit["validation"], _ = corpus_of([fit["validation"]], {})
    if "prune_counts" in learning:
        learning["prune_counts"] = _numbers(learning["prune_counts"])
    model = NGramModel(**learning, **how).fit(data, **told, **fit)
    print(model.evaluation or "nothing was held out, so nothing was measured")
    return model


def _opened(path: Path, reading: dict[str, Any], unchecked: bool) -> NGramModel:
    from unrolled.cli.models import kind, open_model, refuse
    from unrolled.decoding.ngrams import NGramModel

    if path.suffix.lower() != ".unrolled":
        return NGramModel.read_arpa(path, check=not unchecked, **reading)
    refuse(reading, f"{path} says itself how its texts are read")
    model: Any = open_model(path)
    if kind(model) != "NGramModel":
        raise ConfigError(f"--from {path} holds a {kind(model)}; give an n-gram model")
    opened: NGramModel = model
    return opened


def _numbers(told: str) -> list[int]:
    try:
        return [int(one) for one in told.split(",")]
    except ValueError:
        raise ConfigError(
            f"--prune-counts {told}: expected whole numbers with commas between them, as in 0,0,1"
        ) from None
