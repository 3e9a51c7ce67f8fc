"""`unrolled predict` with a classifier: the labels of texts, word by word if you like, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.answers import STREAM, TOGETHER, Rows, batches, is_lines, lines_of, one_of

if TYPE_CHECKING:
    from unrolled.tasks.classifier import Classifier


def classify(
    task: Classifier,
    source: str | None,
    *,
    text: str | None = None,
    text_column: str | None = None,
    running: bool = False,
    explain: bool = False,
    out: Path | None = None,
) -> None:
    """Answer texts as CSV.

    Args:
        task: the classifier.
        source: a table, a file with a text a line, or "-": standard input, line by line.
        text: one text, in place of it.
        text_column: of a table.
        running: an answer after every word.
        explain: how much each word speaks for the answer.
        out: a file for the rows.
    """
    one_of(text, source, "predict")
    texts, together = _texts(task, source, text, text_column)
    names = [f"p({name})" for name in task.labels.names]
    if explain:
        columns, rows = ["text", "label", "word", "attribution"], _reasons(task, texts)
    elif running:
        columns, rows = ["text", "word", *names], _running(task, texts)
    else:
        columns, rows = ["text", "label", *names], _answers(task, texts, together)
    Rows(columns, out).write(rows)


def _texts(
    task: Classifier, source: str | None, text: str | None, text_column: str | None
) -> tuple[Iterable[str], int]:
    """The texts, and how many may be answered at once."""
    if text is not None or source is None:
        return [text or ""], 1
    if is_lines(source):
        return lines_of(source), 1 if source == STREAM else TOGETHER
    from unrolled.cli.sources import loaded
    from unrolled.data.labelled import read_labelled

    if text_column is not None:
        found = loaded(source, "labelled", text_column=text_column)
        return read_labelled(found, labels=False, text_column=text_column).texts, TOGETHER
    return task.texts_of(loaded(source, "labelled")), TOGETHER


def _answers(task: Classifier, texts: Iterable[str], together: int) -> Iterator[Sequence[Any]]:
    for batch in batches(texts, together):
        shares = task.predict_proba(batch)
        for text, label, its in zip(batch, task.predict(batch), shares, strict=True):
            shown = label if isinstance(label, str) else "|".join(label)
            yield text, shown, *map(float, its)


def _running(task: Classifier, texts: Iterable[str]) -> Iterator[Sequence[Any]]:
    for place, text in enumerate(texts, start=1):
        for word, shares in task.running(text):
            yield place, word, *shares.values()


def _reasons(task: Classifier, texts: Iterable[str]) -> Iterator[Sequence[Any]]:
    for place, text in enumerate(texts, start=1):
        found = task.explain(text)
        for word, attribution in found:
            yield place, found.label, word, attribution
