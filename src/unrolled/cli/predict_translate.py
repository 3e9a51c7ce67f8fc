"""`unrolled predict` with a translator: line by line, from a file, a pipe or a person who types."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from unrolled.cli.answers import (
    STREAM,
    TOGETHER,
    arriving_lines,
    batches,
    conversing,
    is_conversation,
)
from unrolled.cli.outputs import check_out
from unrolled.errors import ConfigError, DataWarning, UnrolledError

if TYPE_CHECKING:
    from unrolled.tasks.translating.request import Translation
    from unrolled.tasks.translator import Translator

HELP = "Type a sentence and press Enter; Ctrl-D ends."
PROMPT = "> "
RANKED = ("line", "rank", "score", "text")
# How the text of an answer follows from its line's number, counted from 1, and what was found.
Shown = Callable[[int, "Translation"], str]


def translate(
    task: Translator,
    source: str | None,
    *,
    text: str | None = None,
    out: Path | None = None,
    alignment: bool = False,
    **search: Any,
) -> None:
    """Translate lines; an empty one stays empty, so that line `n` answers line `n`.

    Args:
        task: the translator.
        source: a file with a sentence a line, a set of the catalog, or "-" or None: standard input
            as it comes, and at a terminal a conversation.
        text: sentences, in place of it.
        out: a file for the answer, complete or not there.
        alignment: under each translation, where each of its words looked.
        search: as for `Translator.translate`; with `n_best` the answer is a table.

    Raises:
        ConfigError: options that exclude each other, or that the search refuses.
        DataError: a file that can't be read.

    Warns:
        DataWarning: a tab in a line, which is read as a space; at the end, how many translations
            were cut at their greatest length.
    """
    if text is not None and source is not None:
        raise ConfigError("predict: give INPUT or --text, not both")
    ranked = "n_best" in search
    if ranked and alignment:
        raise ConfigError("--alignment: can't go together with --n-best")
    if alignment and task.settings.attention == "none":
        raise ConfigError("--alignment: the model has no attention that could be shown")
    task.translate([], **search)  # options that can't work are told before anything is read
    shown: Shown = _ranked if ranked else _linked(task) if alignment else _plain
    head = "\t".join(RANKED) + "\n" if ranked else ""
    stream = text is None and source in (None, STREAM)
    if stream and out is None and is_conversation():
        with conversing(True):
            _converse(
                lambda number, line: shown(
                    number, *task.translate([line], before=number - 1, **search)
                ),
                head,
            )
        return
    answers = _answers(task, _parts(text, source), shown, search)
    if out is None:
        _write(sys.stdout, head, answers)
        return
    from unrolled.writing import replacing

    with replacing(out) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
        _write(file, head, answers)


def check_translations(out: Path, inputs: Iterable[str]) -> None:
    """As `check_out`, for a text, a table of the best, or a file called by its language."""
    from unrolled.data.pairs_columns import names_a_side

    suffix = out.suffix.lower()
    language = names_a_side(suffix.removeprefix("."))
    check_out(out, (".txt", ".tsv", suffix if language else ".en"), inputs=inputs)


def _parts(text: str | None, source: str | None) -> Iterator[Sequence[str]]:
    """The lines, some at once; of a stream those that are there."""
    if text is not None:
        return iter([text.split("\n")])
    if source is None or source == STREAM:
        parts = (part for lines in arriving_lines() for part in batches(lines, TOGETHER))
        return _sentences(parts, "standard input")
    return _sentences(batches(_lines_of(source), TOGETHER), source)


def _lines_of(source: str) -> Sequence[str]:
    from unrolled.cli.sources import CATALOG, pairs_of

    if source.startswith(CATALOG):
        return pairs_of(source, {}).sources
    from unrolled.data.pairs_lines import lines_of
    from unrolled.data.pairs_tables import TABLES

    path = Path(source)
    if Path(path.name.lower().removesuffix(".gz")).suffix in TABLES:
        raise ConfigError(
            f"{source}: expected a text with a sentence a line, and this is a table; `unrolled"
            " evaluate` measures pairs"
        )
    return lines_of(path, "utf-8")


def _sentences(parts: Iterable[Sequence[str]], file: str) -> Iterator[Sequence[str]]:
    """The same with spaces for tabs, which are told: they may part columns."""
    number = 0
    for lines in parts:
        tabbed = [at for at, line in enumerate(lines, start=number + 1) if "\t" in line]
        if tabbed:
            _warn_of_tabs(file, tabbed)
        number += len(lines)
        yield [line.replace("\t", " ") for line in lines]


def _warn_of_tabs(file: str, lines: Sequence[int]) -> None:
    from unrolled.data.pairs import places_told

    warnings.warn(
        f"{file}, {places_told(lines)}: a tab is read as a space; where it parts columns, `cut -f1`"
        " takes the first of them, and `unrolled evaluate` measures pairs",
        DataWarning,
        stacklevel=2,
    )


def _answers(
    task: Translator, parts: Iterable[Sequence[str]], shown: Shown, search: dict[str, Any]
) -> Iterator[str]:
    number = 0
    cut = []
    for lines in parts:
        for found in task.translate(lines, before=number, **search):
            number += 1
            if not found.finished:
                cut.append(number)
            yield shown(number, found)
    if cut:
        several = f"{len(cut):,} translations were" if len(cut) > 1 else "1 translation was"
        warnings.warn(
            f"{several} cut at the greatest length, before an end was found (the first is that of"
            f" line {cut[0]:,}): --max-length says how long one may be",
            DataWarning,
            stacklevel=2,
        )


def _write(file: TextIO, head: str, answers: Iterable[str]) -> None:
    file.write(head)
    for answer in answers:
        file.write(answer)
        file.flush()


def _converse(answer: Callable[[int, str], str], head: str) -> None:
    """Ask and answer until there is no more."""
    with suppress(ImportError):
        import readline  # noqa: F401  `input` takes its editing and its history from it
    print(HELP)
    print(head, end="")
    number = 0
    while (line := _asked()) is not None:
        number += 1
        try:
            print(answer(number, line.replace("\t", " ")), end="", flush=True)
        except UnrolledError as error:  # the next line may be better
            print(error, file=sys.stderr)


def _asked() -> str | None:
    """What was typed; None at the end."""
    try:
        # what is no UTF-8 is read as unknown letters
        return input(PROMPT).encode("utf-8", "replace").decode()
    except EOFError:
        print()
        return None


def _plain(number: int, found: Translation) -> str:
    return f"{found.text}\n"


def _ranked(number: int, found: Translation) -> str:
    return "".join(
        f"{number}\t{rank}\t{one.score:z.4f}\t{one.text.replace(chr(9), ' ')}\n"
        for rank, one in enumerate((found, *found.alternatives), start=1)
    )


def _linked(task: Translator) -> Shown:
    def shown(number: int, found: Translation) -> str:
        links = task.word_links(found)
        width = max((len(one.word) for one in links), default=0)
        looks = [f"  {one.word:<{width}} <- {one.source} {one.weight:.2f}\n" for one in links]
        return "".join([f"{found.text}\n", *looks])

    return shown
